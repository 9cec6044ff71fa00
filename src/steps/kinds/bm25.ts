/** The lexical reference: BM25 over title and text. */
import { join } from 'node:path';
import { z } from 'zod';
import { describeParameters, parametersOf } from '../../bm25/index.ts';
import { defineStep, one } from '../../study/index.ts';
import { bm25Params, searchParams } from '../params.ts';
import { ARTIFACTS } from '../types.ts';

/** The name of a BM25 result: analyzer and parameters in it. */
export function describeBm25({ analyzer, bm25 }: z.infer<typeof bm25Params>): string {
  return `BM25 (${describeParameters(parametersOf(bm25)).replaceAll(',', ', ')}, ${analyzer})`;
}

export const bm25Step = defineStep({
  kind: 'bm25',
  version: 1,
  schema: z.strictObject({ ...bm25Params.shape, ...searchParams.shape }),
  inputs: { collection: one(ARTIFACTS.collection) },
  outputs: () => ({ 'run.trec': ARTIFACTS.run }),
  estimate: () => ({ seconds: 5 }),
  async run({ params, inputs, output, scratch, threads, signal, progress }) {
    const { indexFolder, searchFolder } = await import('../../bm25/index.ts');
    const index = join(scratch, 'index.bm25');
    const { analyzer, bm25, split, k, removeSelf } = params;
    const memoryBytes = 2 ** 30;
    await indexFolder(inputs.collection, index, { analyzer, memoryBytes, threads, progress, signal });
    const parameters = parametersOf(bm25);
    const search = { split, k, removeSelf, parameters, threads, progress, signal };
    await searchFolder(index, inputs.collection, output('run.trec'), search);
  },
});
