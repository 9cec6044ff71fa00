/** What the results of a study are made from: its artifacts, read and put beside the checkpoint they belong to. */
import { join } from 'node:path';
import { z } from 'zod';
import { InternalError, readConfig, readLineBlocks } from '../../base/index.ts';
import type { Overlap } from '../../data/index.ts';
import { type MptConfig, readMptConfig } from '../../models/index.ts';
import { type ModelFacts, readFacts } from '../../train/index.ts';
import type { CollectionScores } from '../kinds/evaluate.ts';
import type { IclScores } from '../kinds/icl.ts';
import type { ResultsParams } from './params.ts';

export interface CheckpointInput {
  readonly name: string;
  readonly rung: string;
  readonly sources: ResultsParams['checkpoints'][number]['sources'];
  readonly config: MptConfig;
  readonly facts: ModelFacts;
  /** By collection. */
  readonly finetuned: ReadonlyMap<string, CollectionScores>;
  readonly zeroShot: ReadonlyMap<string, CollectionScores>;
  readonly icl: IclScores | undefined;
}

export interface StudyInputs {
  readonly checkpoints: readonly CheckpointInput[];
  /** Scores of reference systems: name -> collection -> scores. */
  readonly references: ReadonlyMap<string, ReadonlyMap<string, CollectionScores>>;
  /** Training logs by rung. */
  readonly logs: ReadonlyMap<string, readonly LogLine[]>;
  /** Undefined where the study did not look. */
  readonly overlap: Overlap | undefined;
}

/** A line of a pretraining log, as far as curves need it. */
export interface LogLine {
  readonly type: string;
  readonly segment: string;
  readonly tokens: number;
  readonly lossNats: number;
}

export interface InputPaths {
  readonly models: readonly string[];
  readonly scores: readonly string[];
  readonly icl: readonly string[];
  readonly logs: readonly string[];
  readonly overlap: string | undefined;
}

export async function readInputs(params: ResultsParams, paths: InputPaths): Promise<StudyInputs> {
  if (paths.scores.length !== params.scores.length || paths.models.length !== params.checkpoints.length)
    throw new InternalError('the results step was given other artifacts than its parameters list');
  const scores = await Promise.all(paths.scores.map(path => readConfig(path, scoresSchema, {})));
  const icl = await Promise.all(paths.icl.map(path => readConfig(path, iclSchema, {})));
  const scoresOf = (role: string, owner: string) =>
    new Map(
      params.scores.flatMap((entry, i) =>
        entry.role === role && entry.of === owner ? [[entry.collection, scores[i]!] as const] : [],
      ),
    );
  const checkpoints = await Promise.all(
    params.checkpoints.map(async ({ name, rung, sources }, i) => ({
      name,
      rung,
      sources,
      config: (await readMptConfig(join(paths.models[i]!, 'config.json'))).config,
      facts: await readFacts(paths.models[i]!),
      finetuned: scoresOf('finetuned', name),
      zeroShot: scoresOf('zeroShot', name),
      icl: icl[params.icl.indexOf(name)],
    })),
  );
  const names = new Set(params.scores.flatMap(({ role, of }) => (role === 'reference' ? [of] : [])));
  const references = new Map([...names].map(name => [name, scoresOf('reference', name)]));
  const logs = await Promise.all(paths.logs.map(readLog));
  const overlap =
    paths.overlap === undefined ? undefined : await readConfig(paths.overlap, overlapSchema, {});
  return { checkpoints, references, logs: new Map(params.logs.map((rung, i) => [rung, logs[i]!])), overlap };
}

const measured = z.object({ value: z.number(), standardError: z.number() });

const iclSchema: z.ZodType<IclScores> = z.object({
  tasks: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      shots: z.number(),
      items: z.number(),
      chance: z.number(),
      accuracy: measured,
      bitsPerByte: measured.nullable(),
    }),
  ),
});

const scoresSchema: z.ZodType<CollectionScores> = z.object({
  collection: z.string(),
  split: z.string(),
  documents: z.number(),
  queries: z.number(),
  measures: z.record(z.string(), z.number()),
  intervals: z.record(z.string(), z.tuple([z.number(), z.number()])),
  level: z.number(),
  queryIds: z.array(z.string()),
  perQuery: z.record(z.string(), z.array(z.number())),
});

const overlapSchema: z.ZodType<Overlap> = z.object({
  words: z.number(),
  share: z.number(),
  sampled: z.number(),
  sets: z.array(
    z.object({
      name: z.string(),
      texts: z.number(),
      judged: z.number(),
      touched: z.number(),
      standing: z.array(z.object({ id: z.string(), share: z.number() })),
    }),
  ),
});

async function readLog(path: string): Promise<LogLine[]> {
  const log: LogLine[] = [];
  for await (const { lines } of readLineBlocks(path))
    for (const line of lines) log.push(JSON.parse(line) as LogLine);
  return log;
}
