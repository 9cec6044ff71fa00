/** Every command of the program, in the order `isoflop --help` lists them. */
import type { Register } from './command.ts';

export const commands: readonly Register[] = [];
