/** Every command of the program, in the order `isoflop --help` lists them. */
import type { Register } from './command.ts';
import { flops } from './flops.ts';

export const commands: readonly Register[] = [flops];
