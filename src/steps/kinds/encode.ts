/** The queries and documents of a collection as vectors. */
import { z } from 'zod';
import { defineStep, one } from '../../study/index.ts';
import { searchParams } from '../params.ts';
import { ARTIFACTS } from '../types.ts';
import { embedderParams } from './finetune.ts';

export const encodeStep = defineStep({
  kind: 'encode',
  version: 3,
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
    const { DenseRetriever, embedCollection } = await import('../../retrieval/index.ts');
    const { readEmbedderSettings } = await import('../../models/index.ts');
    const { split, embedder, type } = params;
    const own = await readEmbedderSettings(inputs.model);
    const retriever = await DenseRetriever.open(inputs.model, {
      ...(own === undefined && { settings: embedder }),
      vectors: type,
      threads,
    });
    try {
      const options = { split, removeSelf: false };
      await embedCollection(retriever, inputs.collection, output('embeddings'), options, {
        signal,
        progress,
      });
    } finally {
      await retriever.release();
    }
  },
});
