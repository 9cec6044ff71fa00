/** What training costs, before any of it has been measured. */
import type { Estimate } from '../study/index.ts';

/** A core on small matrices: the default study makes 6.3e13 FLOPs in about 980 s of processor time, on two makes. Recorded durations replace it. */
const FLOPS_A_SECOND = 6e10;

export function costOf(flops: number, threads: number): Estimate {
  return { flops, seconds: flops / FLOPS_A_SECOND / threads };
}
