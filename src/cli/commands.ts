/** Every command of the program, in the order `isoflop --help` lists them. */
import { clean } from './clean.ts';
import type { Register } from './command.ts';
import { plan } from './plan.ts';
import { run } from './run.ts';
import { status } from './status.ts';

export const commands: readonly Register[] = [clean, plan, run, status];
