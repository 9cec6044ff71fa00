/** The queries and documents of a collection as vectors. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineStep, one } from '../../study/index.ts';
import { searchParams } from '../params.ts';
import { ARTIFACTS } from '../types.ts';
import { embedderParams } from './finetune.ts';

export const encodeStep = defineStep({
  kind: 'encode',
  version: 1,
  schema: z.strictObject({
    split: searchParams.shape.split,
    /** For a model that was not finetuned; an embedder's own settings come first. */
    embedder: embedderParams.prefault({}),
    type: z.enum(['f32', 'f16']).default('f32'),
    threads: z.number().int().positive().default(1),
  }),
  inputs: { model: one(ARTIFACTS.model), collection: one(ARTIFACTS.collection) },
  outputs: () => ({ embeddings: ARTIFACTS.embeddings }),
  resources: ({ threads }) => ({ threads }),
  estimate: () => ({ seconds: 10 }),
  async run({ params, inputs, output, threads, signal, progress }) {
    const { Encoder } = await import('../../dense/index.ts');
    const { readEmbedderSettings } = await import('../../models/index.ts');
    const { encodeCorpus, encodeQueries } = await import('../encode-collection.ts');
    const own = await readEmbedderSettings(inputs.model);
    const encoder = await Encoder.open(inputs.model, {
      threads,
      ...(own ? {} : { settings: params.embedder }),
    });
    try {
      const effects = { signal, progress };
      await mkdir(output('embeddings'), { recursive: true });
      const folder = (name: string) => join(output('embeddings'), name);
      await encodeQueries(encoder, inputs.collection, params.split, folder('queries'), params.type, effects);
      await encodeCorpus(encoder, inputs.collection, folder('documents'), params.type, effects);
    } finally {
      await encoder.release();
    }
  },
});
