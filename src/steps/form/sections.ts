/** The sections of a ladder study's file. Each is checked for itself, so that a fault in one does not hide those of the others. */
import { z } from 'zod';
import { mptShape, pretrainSettings } from '../../train/index.ts';
import { embedderParams, finetuneParams } from '../kinds/finetune.ts';
import { iclParams } from '../kinds/icl.ts';
import { mineParams } from '../kinds/mine.ts';
import { overlapParams } from '../kinds/overlap.ts';
import { wordnetParams } from '../kinds/wordnet.ts';
import { bm25Params, searchParams } from '../params.ts';
import { scalingParams } from '../results/params.ts';

const count = z.number().int().positive();
const pathOrPaths = z.union([z.string(), z.array(z.string()).min(1)]);

/** A retrieval collection: a BEIR folder, alone or with what else is to be said of it. */
const collection = z.union([
  z.string(),
  z.strictObject({
    path: z.string(),
    title: z.string().optional(),
    split: z.string().optional(),
    /** Does it count in the mean? */
    inMean: z.boolean().default(true),
    removeSelf: z.boolean().default(false),
  }),
]);

const files = z.strictObject({
  text: pathOrPaths,
  textField: z.string().default('text'),
  /** Pairs to mine negatives for and to finetune on: a file, or several files and BEIR folders to draw from. */
  pairs: z.union([
    z.string(),
    z
      .array(
        z.strictObject({
          path: z.string(),
          /** How many to draw; all if not said. */
          count: count.optional(),
          /** Of a collection: the split whose judgements name the positives. */
          split: z.string().optional(),
        }),
      )
      .min(1),
  ]),
  collections: z.record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'expected letters, digits, - and _'),
    collection,
  ),
  /** Task files of the Gauntlet's form. */
  tasks: z.string().optional(),
});

const wordnet = z.strictObject({ wordnet: wordnetParams.prefault({}) });

/**
 * What a `data` section is checked as: files, if it has a key of theirs. A union would hide what is wrong with them behind the other member's
 * complaint that it does not know their keys.
 */
export function dataSchema(value: unknown): typeof wordnet | typeof files {
  const keys = value !== null && typeof value === 'object' ? Object.keys(value) : [];
  return keys.some(key => key in files.shape) && !keys.includes('wordnet') ? files : wordnet;
}

/** The fields of a `data` section of files, each to be checked for itself. */
export const FILE_FIELDS = files.shape;

export const SECTIONS = {
  title: z.string().optional(),
  description: z.string().default(''),
  caveats: z.array(z.string()).default([]),
  deviations: z.array(z.string()).default([]),
  seed: z.number().int().min(0).default(17),
  /** WordNet, which npm installs, or files of one's own. */
  data: z.union([wordnet, files]),
  /** One to train on the text, or a tokenizer.json with the number of embedding rows of the models. */
  tokenizer: z.union([
    z.strictObject({ vocabSize: count }),
    z.strictObject({ file: z.string(), vocabSize: count }),
  ]),
  heldOutShare: z.number().min(0).max(1).default(0.01),
  pretrain: pretrainSettings
    .omit({ model: true, tokens: true, seed: true, provider: true, checkpointTokens: true, vocabSize: true })
    .prefault({}),
  ladder: z
    .array(
      z.strictObject({
        model: mptShape,
        /** For models that are not called by the name of a size. */
        name: z.string().optional(),
        /** Tokens of each checkpoint; `20x` means 20 tokens a parameter. */
        tokens: z
          .array(
            z.union([
              count,
              z.string().regex(/^\d+(\.\d+)?x$/, 'expected tokens, or tokens a parameter such as 20x'),
            ]),
          )
          .min(1),
        learningRate: z.number().positive().optional(),
        /** Of its pretraining, where the largest rung would otherwise run on alone on one core. */
        threads: count.optional(),
      }),
    )
    .min(1),
  mine: mineParams.omit({ seed: true }).prefault({}),
  finetune: finetuneParams.omit({ seed: true }).prefault({}),
  embedder: embedderParams.prefault({}),
  search: searchParams.pick({ k: true }).prefault({}),
  /** In-context evaluation of every checkpoint, or none. */
  icl: z.union([z.literal(false), iclParams]).prefault({}),
  baselines: z
    .strictObject({
      /** Rank the collections with BM25 too. */
      bm25: z.union([z.literal(false), bm25Params]).prefault({}),
      /** Finetune every rung without pretraining it. */
      untrained: z.boolean().default(true),
      /** Evaluate checkpoints without finetuning: the smallest rung's, all, or none. */
      zeroShot: z.enum(['smallest', 'all', 'none']).default('smallest'),
    })
    .prefault({}),
  /** Look for the test sets in the pretraining text, or do not. */
  overlap: z.union([z.literal(false), overlapParams]).prefault({}),
  scaling: scalingParams.prefault({}),
} as const;

export type Sections = { readonly [K in keyof typeof SECTIONS]: z.infer<(typeof SECTIONS)[K]> };
export type Rung = Sections['ladder'][number];
