/** Every command of the program, in the order `isoflop --help` lists them. */
import type { Register } from './command.ts';
import { registerData } from './data.ts';
import { registerEval } from './eval.ts';

export const commands: readonly Register[] = [registerData, registerEval];
