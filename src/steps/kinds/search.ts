/** Exact search over stored vectors. */
import { z } from 'zod';
import { defineStep, one } from '../../study/index.ts';
import { searchParams } from '../params.ts';
import { ARTIFACTS } from '../types.ts';

export const searchStep = defineStep({
  kind: 'search',
  version: 2,
  schema: z.strictObject({
    k: searchParams.shape.k,
    removeSelf: searchParams.shape.removeSelf,
    threads: z.number().int().positive().default(1),
  }),
  inputs: { embeddings: one(ARTIFACTS.embeddings) },
  outputs: () => ({ 'run.trec': ARTIFACTS.run }),
  resources: ({ threads }) => ({ threads }),
  estimate: () => ({ seconds: 2 }),
  async run({ params, inputs, output, threads, signal, progress }) {
    const { searchEmbedded } = await import('../../retrieval/index.ts');
    const { k, removeSelf } = params;
    const options = { k, removeSelf, threads };
    await searchEmbedded(inputs.embeddings, output('run.trec'), options, { signal, progress });
  },
});
