/** Every command of the program, in the order `isoflop --help` lists them. */
import type { Register } from './command.ts';
import { registerFit } from './fit.ts';
import { registerPredict } from './predict.ts';

export const commands: readonly Register[] = [registerFit, registerPredict];
