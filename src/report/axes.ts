/** What figures of compute have in common: its logarithmic axis, its name, and how sizes are written. */

const CONVENTIONS: Readonly<Record<string, string>> = {
  '6nd': '6ND',
  '6nd-nonembedding': '6ND, without embeddings',
  palm: 'PaLM count',
  chinchilla: "Chinchilla's count",
  executed: 'executed matrix products',
  'not stated': 'convention not stated',
};

/** How a convention is written in print. */
export function conventionText(convention: string): string {
  return Object.hasOwn(CONVENTIONS, convention) ? CONVENTIONS[convention]! : convention;
}

const STEPS = 80;

/** Equal steps in the logarithm from the smallest to the largest compute of all marks, a little beyond on both sides. */
export function logSteps(values: readonly number[], beyond: number): number[] {
  const least = Math.log(Math.min(...values) / beyond);
  const most = Math.log(Math.max(...values) * beyond);
  return Array.from({ length: STEPS + 1 }, (_, i) => Math.exp(least + ((most - least) * i) / STEPS));
}

/** Ticks at powers of ten, or at 1, 2 and 5 times them where fewer than three would show, labelled with exponents. */
export function ticksOf(values: readonly number[]): { values: number[]; labelExpr: string } {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const within = (factors: readonly number[]) => {
    const decades = Math.ceil(Math.log10(most)) - Math.floor(Math.log10(least)) + 1;
    return Array.from({ length: decades }, (_, i) => Math.floor(Math.log10(least)) + i)
      .flatMap(power => factors.map(factor => ({ at: Number(`${factor}e${power}`), factor, power })))
      .filter(({ at }) => at >= least * 0.999 && at <= most * 1.001);
  };
  const decades = within([1]);
  const ticks = decades.length >= 3 ? decades : within([1, 2, 5]);
  const labels = ticks.map(({ at, factor, power }) => {
    const exponent = String(power).replace(/[-0-9]/g, c => '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'['-0123456789'.indexOf(c)]!);
    return `'${at.toExponential(0)}': '${factor === 1 ? '' : `${factor}·`}10${exponent}'`;
  });
  return {
    values: ticks.map(tick => tick.at),
    labelExpr: `({${labels.join(', ')}})[format(datum.value, '.0e')]`,
  };
}

/** Parameters or tokens in three digits: 98.1k, 1.32M, 6.66B. */
export function sizeText(count: number): string {
  for (const [unit, letter] of UNITS)
    if (count >= unit) return `${Number((count / unit).toPrecision(3))}${letter}`;
  return String(Number(count.toPrecision(3)));
}

const UNITS = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;
