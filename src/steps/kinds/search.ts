/** Exact search over stored vectors. */
import { join } from 'node:path';
import { z } from 'zod';
import { defineStep, one } from '../../study/index.ts';
import { searchParams } from '../params.ts';
import { ARTIFACTS } from '../types.ts';

export const searchStep = defineStep({
  kind: 'search',
  version: 1,
  schema: z.strictObject({
    k: searchParams.shape.k,
    removeSelf: searchParams.shape.removeSelf,
    threads: z.number().int().positive().default(1),
  }),
  inputs: { embeddings: one(ARTIFACTS.embeddings) },
  outputs: () => ({ 'run.trec': ARTIFACTS.run }),
  resources: ({ threads }) => ({ threads }),
  estimate: () => ({ seconds: 2 }),
  async run({ params, inputs, output, threads, signal }) {
    const { writeAtomically } = await import('../../base/index.ts');
    const { runLines, runSeparator } = await import('../../data/index.ts');
    const { Embeddings, exactSearch, readVectors } = await import('../../dense/index.ts');
    const queries = await readVectors(await Embeddings.open(join(inputs.embeddings, 'queries')));
    const documents = await Embeddings.open(join(inputs.embeddings, 'documents'));
    const { k, removeSelf } = params;
    const found = await exactSearch(queries, documents.blocks(), { k, removeSelf, threads, signal });
    const separator = runSeparator([...queries.ids, ...found.flatMap(hits => hits.map(({ id }) => id))]);
    await writeAtomically(output('run.trec'), async file => {
      for (const [i, hits] of found.entries())
        await file.write(runLines(queries.ids[i]!, hits, 'isoflop-dense', separator));
    });
  },
});
