/**
 * What is written of an evaluated collection, as text: MTEB's task result, a TREC run, one JSON line a query, and the record that ties them to
 * the model and the data they belong to.
 */
import { z } from 'zod';
import { canonicalJson, type Json } from '../base/index.ts';
import { type Run, runLines, runSeparator } from '../data/index.ts';
import { type Evaluation, type MeasureKind, parseMeasures, type Summary } from '../metrics/index.ts';

/** MTEB's spellings. Kinds that it has no name for are left out. */
const MTEB_NAMES: Readonly<Partial<Record<MeasureKind, string>>> = {
  nDCG: 'ndcg',
  AP: 'map',
  R: 'recall',
  P: 'precision',
  RR: 'mrr',
};

/** MTEB's name of a measure, such as `ndcg_at_10`; undefined where it has none. */
export function mtebName(measureName: string): string | undefined {
  const { kind, cutoff } = parseMeasures([measureName])[0]!;
  const name = MTEB_NAMES[kind];
  return name === undefined || !Number.isFinite(cutoff) ? undefined : `${name}_at_${cutoff}`;
}

type Means = Readonly<Record<string, number>>;

export interface MtebTask {
  readonly task: string;
  readonly split: string;
  /** Hash of the data: MTEB's place for it is the data set's revision. */
  readonly revision: string;
  readonly means: Means;
}

/** An MTEB task result (the format since 1.11), unrounded. Times are left out, so that equal results are equal files. */
export function mtebResult({ task, split, revision, means }: MtebTask): Json {
  const named = Object.entries(means).flatMap(([name, value]) => {
    const key = mtebName(name);
    return key === undefined ? [] : [[key, value] as const];
  });
  const scores = {
    ...Object.fromEntries(named),
    main_score: means['nDCG@10'],
    hf_subset: 'default',
    languages: ['eng-Latn'],
  };
  return {
    dataset_revision: revision,
    task_name: task,
    mteb_version: null,
    scores: { [split === 'dev.small' ? 'dev' : split]: [scores] }, // MS MARCO's own name of what BEIR calls dev
    evaluation_time: null,
    kg_co2_emissions: null,
  };
}

/** The run as TREC's six columns. */
export function* runText(run: Run): Generator<string> {
  const separator = runSeparator(idsOf(run));
  for (let q = 0; q < run.queryIds.length; q++)
    yield runLines(run.queryIds[q]!, run.hits(q), run.name, separator);
}

function* idsOf(run: Run): Generator<string> {
  yield* run.queryIds;
  for (let row = 0; row < run.scores.length; row++) yield run.documentId(row);
}

/** One JSON line a query: its measures, how many documents it has, and the share of them that tie. */
export function queryLines({ queryIds, measures, values, tieRates }: Evaluation, run: Run): string {
  const placeOf = new Map(run.queryIds.map((id, q) => [id, q]));
  const lines = queryIds.map((query, i) => {
    const place = placeOf.get(query);
    const scores = Object.fromEntries(measures.map(({ name }, m) => [name, values[m]![i]!]));
    const retrieved = place === undefined ? 0 : run.depth(place);
    return `${JSON.stringify({ query, ...scores, retrieved, tieRate: tieRates[i] })}\n`;
  });
  return lines.join('');
}

const number = z.number();
const means = z.record(z.string(), number);

/** What is known of an evaluated collection; the last file written of it. */
export const recordSchema = z.strictObject({
  format: z.literal('isoflop-retrieval'),
  version: z.literal(1),
  task: z.string(),
  split: z.string(),
  documents: number,
  queries: number,
  judgements: number,
  /** Everything that decides the result: another identity is another result. */
  identity: z.strictObject({ model: z.unknown(), data: z.unknown(), settings: z.unknown() }),
  rules: z.strictObject({
    order: z.literal('score descending, document id descending'),
    missingQueries: z.literal('zero'),
    selfHits: z.enum(['kept', 'removed']),
  }),
  measures: means,
  intervals: z.strictObject({ level: number, measures: z.record(z.string(), z.tuple([number, number])) }),
  ties: z.strictObject({ rate: number, expected: means }),
  warnings: z.array(z.string()),
  /** SHA-256 of the other files, by their path in the results folder. */
  files: z.record(z.string(), z.string()),
});

export type CollectionRecord = z.infer<typeof recordSchema>;
export type Identity = CollectionRecord['identity'];

/** The parts of two identities that differ, in words; empty for equal ones. */
export function differences(a: Identity, b: Identity): string[] {
  return (['model', 'data', 'settings'] as const).filter(
    key => canonicalJson(a[key]) !== canonicalJson(b[key]),
  );
}

/** The parts of a summary that a record keeps. */
export function summaryPart({ measures, intervals, ties }: Summary): {
  readonly measures: CollectionRecord['measures'];
  readonly intervals: CollectionRecord['intervals'];
  readonly ties: CollectionRecord['ties'];
} {
  const named = Object.fromEntries(
    Object.entries(intervals.measures).map(([name, [low, high]]) => [name, [low, high] as [number, number]]),
  );
  return {
    measures: { ...measures },
    intervals: { level: intervals.level, measures: named },
    ties: { rate: ties!.rate, expected: { ...ties!.expected } },
  };
}
