/**
 * exp(x) to about one unit in the last place, some three times faster than `Math.exp`: the exponential is nearly all of a fit's time.
 * x = (32 q + j) ln2/32 + r, so that exp(x) = 2^q 2^(j/32) exp(r) with |r| below 0.011, where six terms of the series are exact.
 */

const STEPS = 32;
/** 2^(j/32). */
const FRACTIONS = Float64Array.from({ length: STEPS }, (_, j) => 2 ** (j / STEPS));
/** 2^q for q from -1022 to 1023. */
const LEAST_POWER = -1022;
const POWERS = Float64Array.from({ length: 2046 }, (_, i) => 2 ** (i + LEAST_POWER));

const SCALE = STEPS / Math.LN2;
/** ln2/32 in two parts, the first with so few bits that its product with the step count is exact (fdlibm's split of ln2). */
const STEP_HIGH = 6.931471803691238e-1 / STEPS;
const STEP_LOW = 1.9082149292705877e-10 / STEPS;
/** Adding and taking away 1.5 * 2^52 rounds to the nearest integer. */
const ROUNDER = 6755399441055744;
/** Beyond these results leave the normal numbers; `Math.exp` deals with them. */
const RANGE = 700;

export function fastExp(x: number): number {
  if (!(x > -RANGE && x < RANGE)) return Math.exp(x);
  const count = x * SCALE + ROUNDER - ROUNDER;
  const r = x - count * STEP_HIGH - count * STEP_LOW;
  const k = count | 0;
  const series = r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720))))));
  const fraction = FRACTIONS[k & (STEPS - 1)]!;
  return (fraction + fraction * series) * POWERS[(k >> 5) - LEAST_POWER]!;
}
