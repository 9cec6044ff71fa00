/** Vectors of a collection folder, written block by block in bounded memory. */
import { type Json, type Progress, silentProgress } from '../base/index.ts';
import { docTexts, judgedQueries, readCorpus, readQrels, readQueries } from '../data/index.ts';
import { EmbeddingsWriter, type Encoder, type VectorType } from '../dense/index.ts';

export interface EncodeEffects {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/** Documents a block: enough of each length for full buckets. */
const BLOCK = 8192;

/** The documents of a collection, titles and texts joined. */
export async function encodeCorpus(
  encoder: Encoder,
  collection: string,
  folder: string,
  type: VectorType,
  { signal, progress = silentProgress }: EncodeEffects,
): Promise<number> {
  const writer = await EmbeddingsWriter.open(
    folder,
    description(encoder, 'passage'),
    encoder.dimension,
    type,
  );
  const task = progress.start('encode', undefined, 'documents');
  let skip = writer.rows;
  let [ids, texts]: [string[], string[]] = [[], []];
  const flush = async () => {
    if (ids.length === 0) return;
    const vectors = await encoder.encode(texts, 'passage', { ...(signal && { signal }) });
    await writer.write({ ids, vectors });
    task.update(writer.rows);
    [ids, texts] = [[], []];
  };
  for await (const batch of readCorpus(collection, { signal })) {
    const all = docTexts(batch);
    for (let i = 0; i < all.length; i++) {
      if (skip > 0) {
        skip--;
        continue;
      }
      ids.push(batch.ids[i]!);
      texts.push(all[i]!);
      if (ids.length === BLOCK) await flush();
    }
  }
  await flush();
  await writer.finish();
  task.finish();
  return writer.rows;
}

/** The judged queries of a split. */
export async function encodeQueries(
  encoder: Encoder,
  collection: string,
  split: string,
  folder: string,
  type: VectorType,
  { signal }: EncodeEffects,
): Promise<number> {
  const qrels = await readQrels(collection, split);
  const { ids, texts } = judgedQueries(await readQueries(collection, split), qrels, collection);
  const writer = await EmbeddingsWriter.open(folder, description(encoder, 'query'), encoder.dimension, type);
  if (writer.rows === 0)
    await writer.write({ ids, vectors: await encoder.encode(texts, 'query', { ...(signal && { signal }) }) });
  await writer.finish();
  return ids.length;
}

function description({ settings }: Encoder, role: string): Json {
  return { role, settings: { ...settings } };
}
