import { availableParallelism } from 'node:os';
import type { Environment } from './config.ts';

/** The thread count to use where none is given: `OMP_NUM_THREADS`, else the number of cores. */
export function defaultThreads(environment: Environment): number {
  const asked = Number(environment['OMP_NUM_THREADS']);
  return Number.isInteger(asked) && asked > 0 ? asked : availableParallelism();
}
