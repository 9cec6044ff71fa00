/** The test sets of a retrieval collection: what its models must not have read. */
import { docTexts, judgedQueries, readCorpus, readQrels, readQueries } from '../../collections/index.ts';
import type { TestSet } from './overlap.ts';

/** The passages of a collection folder, and the queries that one split judges. */
export function collectionSets(name: string, folder: string, split: string): TestSet[] {
  return [
    {
      name: `${name}, passages`,
      async *texts() {
        for await (const batch of readCorpus(folder)) yield { ids: batch.ids, texts: docTexts(batch) };
      },
    },
    {
      name: `${name}, queries`,
      async *texts() {
        yield judgedQueries(await readQueries(folder, split), await readQrels(folder, split), folder);
      },
    },
  ];
}
