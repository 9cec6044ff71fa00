/** Every command of the program, in the order `isoflop --help` lists them. */
import { registerClean } from './clean.ts';
import type { Register } from './command.ts';
import { registerPlan } from './plan.ts';
import { registerRun } from './run.ts';
import { registerShards } from './shards.ts';
import { registerStatus } from './status.ts';
import { registerTokenizer } from './tokenizer.ts';

export const commands: readonly Register[] = [
  registerClean,
  registerPlan,
  registerRun,
  registerShards,
  registerStatus,
  registerTokenizer,
];
