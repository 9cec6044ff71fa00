/** llm-foundry's gauntlet files: benchmarks in categories, chance taken away, averaged (callbacks/eval_gauntlet_callback.py). */
import { z } from 'zod';
import { type Environment, InputError, Problems, readConfig } from '../base/index.ts';
import {
  type Estimate,
  gauntletAccuracy,
  type IclTaskResult,
  meanOfEstimates,
  weightedMean,
} from './result.ts';
import { taskKey } from './settings.ts';

const benchmarkSchema = z.strictObject({
  name: z.string().min(1),
  num_fewshot: z.int().min(0),
  random_baseline: z.number().min(0).lt(1),
});

const gauntletSchema = z.strictObject({
  eval_gauntlet: z.strictObject({
    weighting: z.enum(['EQUAL', 'SAMPLE_SZ', 'LOG_SAMPLE_SZ']).default('EQUAL'),
    subtract_random_baseline: z.boolean().default(true),
    rescale_accuracy: z.boolean().default(true),
    averages: z.record(z.string(), z.array(z.string()).min(1)).optional(),
    categories: z
      .array(z.strictObject({ name: z.string().min(1), benchmarks: z.array(benchmarkSchema).min(1) }))
      .min(1),
  }),
});

interface Benchmark {
  readonly name: string;
  readonly shots: number;
  /** Accuracy of guessing, as the file says. */
  readonly baseline: number;
}

export interface Gauntlet {
  readonly weighting: 'EQUAL' | 'SAMPLE_SZ' | 'LOG_SAMPLE_SZ';
  readonly subtractBaseline: boolean;
  /** Divide by 1 - baseline, so that a perfect model has 1. */
  readonly rescale: boolean;
  /** Name -> categories. */
  readonly averages: ReadonlyMap<string, readonly string[]>;
  readonly categories: readonly { readonly name: string; readonly benchmarks: readonly Benchmark[] }[];
}

export interface BenchmarkScore {
  /** `copa/0-shot` */
  readonly benchmark: string;
  readonly accuracy: Estimate;
  readonly baseline: number;
  readonly score: Estimate;
  readonly weight: number;
}

export interface GauntletResult {
  /** Name given to an average over less than the file asks for; null for a complete one. */
  readonly reduced: string | null;
  /** Benchmarks without a result, `mmlu/5-shot`. Empty unless reduced. */
  readonly missing: readonly string[];
  readonly weighting: Gauntlet['weighting'];
  readonly averages: Readonly<Record<string, Estimate>>;
  readonly categories: readonly {
    readonly name: string;
    readonly score: Estimate;
    readonly benchmarks: readonly BenchmarkScore[];
  }[];
}

/** Reads a gauntlet file; everything wrong with it is reported at once. */
export async function readGauntlet(path: string, environment: Environment): Promise<Gauntlet> {
  const { eval_gauntlet: file } = await readConfig(path, gauntletSchema, environment);
  const names = file.categories.map(({ name }) => name);
  const averages = new Map(Object.entries(file.averages ?? { default_average: names }));
  const problems = new Problems();
  if (file.rescale_accuracy && !file.subtract_random_baseline)
    problems.add(path, 'rescale_accuracy makes sense only with subtract_random_baseline');
  for (const name of new Set(names.filter((one, i) => names.indexOf(one) !== i)))
    problems.add(path, `has category '${name}' twice`);
  for (const [average, members] of averages) {
    for (const member of members)
      if (!names.includes(member))
        problems.add(path, `average '${average}' names '${member}', which is no category`);
    if (new Set(members).size < members.length)
      problems.add(path, `average '${average}' names a category twice`);
  }
  const categories = file.categories.map(({ name, benchmarks }) => {
    const list = benchmarks.map(({ name: label, num_fewshot: shots, random_baseline: baseline }) => ({
      ...{ name: label, shots, baseline },
    }));
    const keys = list.map(keyOf);
    for (const key of keys.filter((one, i) => keys.indexOf(one) !== i))
      problems.add(path, `category '${name}' has ${key} twice`);
    return { name, benchmarks: list };
  });
  problems.throwIfAny();
  return {
    weighting: file.weighting,
    subtractBaseline: file.subtract_random_baseline,
    rescale: file.rescale_accuracy,
    averages,
    categories,
  };
}

const keyOf = ({ name, shots }: Benchmark): string => taskKey({ label: name, shots });

/** Benchmarks of a gauntlet that these tasks do not cover. */
export function missingBenchmarks(gauntlet: Gauntlet, keys: Iterable<string>): string[] {
  const there = new Set(keys);
  return [
    ...new Set(
      gauntlet.categories.flatMap(({ benchmarks }) => benchmarks.map(keyOf)).filter(key => !there.has(key)),
    ),
  ];
}

/**
 * Refuses a gauntlet whose benchmarks are not all there, unless a name for the reduced average is given, which must not be one of the file's.
 * llm-foundry drops such categories, and averages what remains under the same name.
 */
export function checkGauntlet(gauntlet: Gauntlet, keys: Iterable<string>, reduced: string | undefined): void {
  const missing = missingBenchmarks(gauntlet, keys);
  const taken = [...gauntlet.averages.keys(), ...gauntlet.categories.map(({ name }) => name)];
  if (reduced !== undefined && taken.includes(reduced))
    throw new InputError(
      `--reduced ${reduced}`,
      'is a name of the gauntlet file: a reduced average needs one of its own',
    );
  if (reduced === undefined && missing.length > 0)
    throw new InputError(
      'gauntlet',
      `${missing.length} benchmarks have no task: ${missing.join(', ')}. Add them, or name a reduced average with --reduced NAME`,
    );
  if (
    reduced !== undefined &&
    gauntlet.categories.every(({ benchmarks }) => benchmarks.every(one => missing.includes(keyOf(one))))
  )
    throw new InputError('gauntlet', 'none of its benchmarks has a task');
}

/** Scores of a gauntlet from the results of its tasks. See `checkGauntlet` for what is refused. */
export function scoreGauntlet(
  gauntlet: Gauntlet,
  results: readonly IclTaskResult[],
  reduced?: string,
): GauntletResult {
  const byKey = new Map(results.map(result => [taskKey(result), result]));
  checkGauntlet(gauntlet, byKey.keys(), reduced);
  const missing = missingBenchmarks(gauntlet, byKey.keys());
  const categories = gauntlet.categories.flatMap(({ name, benchmarks }) => {
    const found = benchmarks.filter(one => byKey.has(keyOf(one)));
    if (found.length === 0) return [];
    const scores = found.map(one => scoreBenchmark(gauntlet, one, byKey.get(keyOf(one))!));
    const own = found.length < benchmarks.length ? `${name} (${reduced})` : name;
    const score = weightedMean(scores.map(({ score: estimate, weight }) => ({ estimate, weight })));
    return [{ of: name, name: own, score, benchmarks: scores }];
  });
  const averages = [...gauntlet.averages].flatMap(([name, members]) => {
    const found = categories.filter(({ of }) => members.includes(of));
    if (found.length === 0) return [];
    return [
      [averageName(gauntlet, name, reduced), meanOfEstimates(found.map(({ score }) => score))] as const,
    ];
  });
  return {
    reduced: reduced ?? null,
    missing,
    weighting: gauntlet.weighting,
    averages: Object.fromEntries(averages),
    categories: categories.map(({ of: _, ...category }) => category),
  };
}

function averageName(gauntlet: Gauntlet, name: string, reduced: string | undefined): string {
  if (reduced === undefined) return name;
  return gauntlet.averages.size === 1 ? reduced : `${reduced} (${name})`;
}

function scoreBenchmark(gauntlet: Gauntlet, benchmark: Benchmark, result: IclTaskResult): BenchmarkScore {
  const accuracy = gauntletAccuracy(result);
  const shift = gauntlet.subtractBaseline ? benchmark.baseline : 0;
  const scale = gauntlet.rescale ? 1 - benchmark.baseline : 1;
  const { standardError } = accuracy;
  return {
    benchmark: keyOf(benchmark),
    accuracy,
    baseline: benchmark.baseline,
    score: {
      value: (accuracy.value - shift) / scale,
      standardError: standardError === null ? null : standardError / scale,
    },
    weight: weightOf(gauntlet.weighting, result.items),
  };
}

function weightOf(weighting: Gauntlet['weighting'], items: number): number {
  if (weighting === 'EQUAL') return 1;
  return weighting === 'SAMPLE_SZ' ? items : Math.max(1, Math.log2(items));
}
