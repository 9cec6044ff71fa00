/** WordNet as a source of text. */
import { createHash } from 'node:crypto';
import { batchOf, type TextSource } from '../text/source.ts';
import type { Synset } from './synset.ts';
import { wordnetDocuments } from './text.ts';
import { loadWordNet } from './wordnet.ts';

const BATCH = 4096;

/** The embedded corpus, without the synsets that `keep` refuses: those that a test will ask about. */
export async function wordnetSource(keep?: (synset: Synset) => boolean): Promise<TextSource> {
  const texts = wordnetDocuments(await loadWordNet(), keep);
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return {
    name: 'wordnet',
    reading: 'synsets',
    bytes,
    async hash() {
      const hash = createHash('sha256');
      for (const text of texts) hash.update(text).update('\0');
      return hash.digest('hex');
    },
    async *documents({ onRead } = {}) {
      for (let from = 0, read = 0; from < texts.length; from += BATCH) {
        const batch = texts.slice(from, from + BATCH);
        read += batch.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
        onRead?.(read);
        yield batchOf(batch);
      }
    },
  };
}
