/** Every command of the program, in the order `isoflop --help` lists them. */
import type { Register } from './command.ts';
import { registerBm25 } from './bm25.ts';
import { registerData } from './data.ts';
import { registerEval } from './eval.ts';
import { registerMine } from './mine.ts';

export const commands: readonly Register[] = [registerBm25, registerData, registerEval, registerMine];
