/** Where training pairs come from. */
import {
  docText,
  judgedQueries,
  type PairRecord,
  readCorpus,
  readPairs,
  readQrels,
  readQueries,
} from '../data/index.ts';

/** All pairs of a file, without negatives that it may bring. */
export async function pairsOfFile(path: string, signal: AbortSignal): Promise<PairRecord[]> {
  const pairs: PairRecord[] = [];
  for await (const block of readPairs(path, { signal }))
    for (const { query, pos } of block) pairs.push({ query, pos, neg: [] });
  return pairs;
}

/** A pair for every judged query of a collection's split: all documents with a grade above 0 are its positives. */
export async function pairsOfCollection(
  folder: string,
  split: string,
  signal: AbortSignal,
): Promise<PairRecord[]> {
  const qrels = await readQrels(folder, split);
  const { ids, texts } = judgedQueries(await readQueries(folder, split), qrels, folder);
  const wanted = new Set([...qrels.values()].flatMap(grades => [...grades.keys()]));
  const textOf = new Map<string, string>();
  for await (const batch of readCorpus(folder, { signal }))
    for (const [i, id] of batch.ids.entries())
      if (wanted.has(id)) textOf.set(id, docText(batch.titles[i]!, batch.texts[i]!));
  return ids.flatMap((id, i) => {
    const relevant = [...qrels.get(id)!].filter(([, grade]) => grade > 0).map(([document]) => document);
    const pos = relevant.flatMap(document => textOf.get(document) || []);
    return pos.length > 0 ? [{ query: texts[i]!, pos, neg: [] }] : [];
  });
}
