/** The words of a corpus, counted in several threads and in bounded memory, with the same result however many threads there are. */
import { mapOrdered, openPool } from '../base/index.ts';
import { type PackedTexts, packBatches } from './packed-texts.ts';
import { type WordCountArrays, WordCounts } from './word-counts.ts';

export interface CountOptions {
  /** Worker threads; with 1 the work is done in this one. */
  readonly workers: number;
  /** Distinct words kept; beyond, the rarest ones so far are forgotten (see `WordCounts.prune`). */
  readonly maxWords: number;
  /** Called with the documents and bytes of text counted so far. */
  readonly onProgress?: ((documents: number, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CountedWords {
  readonly words: WordCounts;
  readonly documents: number;
  /** UTF-8 bytes of text. */
  readonly bytes: number;
  /** Distinct words forgotten to stay within `maxWords`; 0 means that all counts are exact. */
  readonly forgotten: number;
}

export async function countWords(
  documents: AsyncIterable<readonly string[]>,
  options: CountOptions,
): Promise<CountedWords> {
  const { workers, signal } = options;
  const words = new WordCounts();
  let [read, bytes, forgotten] = [0, 0, 0];
  const pool =
    workers > 1
      ? openPool<PackedTexts, WordCountArrays>(new URL('./count-worker.js', import.meta.url), {
          workers,
          signal,
        })
      : undefined;
  const count = async (texts: PackedTexts) => {
    signal?.throwIfAborted();
    const size = { documents: texts.ends.length, bytes: texts.bytes.length };
    const counts = pool ? await pool.run(texts, [texts.bytes.buffer]) : countBatch(texts);
    return { ...size, counts };
  };
  try {
    for await (const batch of mapOrdered(packBatches(documents), workers + 1, count)) {
      words.addCounts(batch.counts);
      forgotten += words.prune(options.maxWords); // after each batch in turn, so that threads make no difference
      read += batch.documents;
      bytes += batch.bytes;
      options.onProgress?.(read, bytes);
    }
  } finally {
    await pool?.close();
  }
  return { words, documents: read, bytes, forgotten };
}

/** The words of one batch. */
export function countBatch({ bytes, ends }: PackedTexts): WordCountArrays {
  const words = new WordCounts();
  for (let i = 0, from = 0; i < ends.length; i++) {
    words.addText(bytes, from, ends[i]!);
    from = ends[i]!;
  }
  return words.snapshot();
}
