/** A JSON-lines file of real text for the benchmarks of tokenizers and shards. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { InputError } from '#src/base/index.js';
import { openTexts, readDocuments } from '#src/data/index.js';

/** Writes about `megabytes` of Wikipedia (`ISOFLOP_DATA`/wiki_en_2015) to `path`, as `{"text": ...}` a line. Returns UTF-8 bytes of text. */
export async function writeCorpus(path: string, megabytes: number): Promise<number> {
  const data = process.env['ISOFLOP_DATA'];
  if (data === undefined)
    throw new InputError('ISOFLOP_DATA', 'is not set: it names the folder of wiki_en_2015');
  const out = createWriteStream(path);
  let bytes = 0;
  const sources = await openTexts([join(data, 'wiki_en_2015')]);
  for await (const { texts } of readDocuments(sources)) {
    for (const text of texts) {
      if (bytes >= megabytes * 1e6) break;
      bytes += Buffer.byteLength(text);
      out.write(`${JSON.stringify({ text })}\n`);
    }
    if (bytes >= megabytes * 1e6) break;
  }
  out.end();
  await finished(out);
  return bytes;
}

/** What the benchmarks on this corpus can be told. */
export const CORPUS_OPTIONS = {
  python: { type: 'string', default: 'python3' },
  megabytes: { type: 'string', default: '100' },
  vocab: { type: 'string', default: '8192' },
  rounds: { type: 'string', default: '3' },
  workers: { type: 'string', default: '2' },
  /** Set for the processes that a benchmark starts: where the corpus is. */
  corpus: { type: 'string', default: '' },
} as const;
