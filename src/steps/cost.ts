/** What training costs, before any of it has been measured. */
import type { Estimate } from '../study/index.ts';

/** A modest laptop core on small matrices: only the order of magnitude matters, recorded durations replace it. */
const FLOPS_A_SECOND = 3e10;

export function costOf(flops: number, threads: number): Estimate {
  return { flops, seconds: flops / FLOPS_A_SECOND / threads };
}
