/**
 * The collections that bench/bm25.ts races on, each a BEIR folder made under a scratch folder, with queries of 3 to 8 words of a random passage:
 *
 * - `scifact`: the real collection;
 * - `wiki`: the Wikipedia text of ISOFLOP_DATA, each article cut into passages of 60 words;
 * - `synthetic`: MS MARCO's size and term statistics (bm25Synthetic.ts).
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { eachLine, Rng } from '#src/base/index.js';
import { type DocumentBatch, documentsOf, STOPWORDS } from '#src/bm25/index.js';
import { queryOf, syntheticCorpus, syntheticQueries } from './bm25Synthetic.ts';

export interface RaceCollection {
  /** A BEIR folder with `corpus.jsonl`. */
  readonly folder: string;
  /** A file with a query a line. */
  readonly queries: string;
  readonly documents: number;
  /** UTF-8 bytes of all texts. */
  readonly textBytes: number;
}

export interface CollectionOptions {
  /** At most so many, from the beginning. */
  readonly documents: number;
  readonly queries: number;
  readonly scratch: string;
}

const PASSAGE_WORDS = 60;
const SEED = 17;

export async function collectionNamed(name: string, options: CollectionOptions): Promise<RaceCollection> {
  const folder = join(options.scratch, `${name}-${options.documents}`);
  mkdirSync(folder, { recursive: true });
  const corpus = join(folder, 'corpus.jsonl');
  if (!existsSync(corpus))
    await writeCorpus(corpus, firstOf(sourceOf(name, options.documents), options.documents));
  const kept: string[] = [];
  let [documents, textBytes] = [0, 0];
  for await (const { texts } of documentsOf(folder)) {
    documents += texts.length;
    for (const text of texts) textBytes += Buffer.byteLength(text);
    if (name !== 'synthetic') kept.push(...texts);
  }
  const queries = join(folder, `queries-${options.queries}.txt`);
  const lines =
    name === 'synthetic' ? syntheticQueries(options.queries, documents) : queriesOf(kept, options.queries);
  writeFileSync(queries, `${lines.join('\n')}\n`);
  return { folder, queries, documents, textBytes };
}

function sourceOf(name: string, documents: number): AsyncIterable<DocumentBatch> {
  if (name === 'synthetic') return syntheticCorpus(documents);
  const data = process.env['ISOFLOP_DATA'];
  if (data === undefined) throw new Error('set ISOFLOP_DATA to the folder of collections');
  if (name === 'wiki') return wikipediaPassages(join(data, 'wiki_en_2015'));
  return documentsOf(join(data, name));
}

async function* firstOf(batches: AsyncIterable<DocumentBatch>, count: number): AsyncGenerator<DocumentBatch> {
  let rest = count;
  for await (const { ids, texts } of batches) {
    yield { ids: ids.slice(0, rest), texts: texts.slice(0, rest) };
    rest -= ids.length;
    if (rest <= 0) return;
  }
}

async function* wikipediaPassages(folder: string): AsyncGenerator<DocumentBatch> {
  const files = readdirSync(folder).filter(name => name.endsWith('.jsonl.gz'));
  for (const name of files.sort()) {
    const articles: { id: string; text: string }[] = [];
    await eachLine(
      join(folder, name),
      line => void articles.push(JSON.parse(line) as { id: string; text: string }),
    );
    for (const { id, text } of articles) {
      const words = text.split(/\s+/);
      const texts: string[] = [];
      for (let from = 0; from < words.length; from += PASSAGE_WORDS)
        texts.push(words.slice(from, from + PASSAGE_WORDS).join(' '));
      yield { ids: texts.map((_, i) => `${id}-${i}`), texts };
    }
  }
}

/** Written under another name first, so that a file of the right name is whole. */
async function writeCorpus(path: string, batches: AsyncIterable<DocumentBatch>): Promise<void> {
  const file = openSync(`${path}.part`, 'w');
  for await (const { ids, texts } of batches)
    writeSync(
      file,
      ids.map((id, i) => `${JSON.stringify({ _id: id, title: '', text: texts[i] })}\n`).join(''),
    );
  closeSync(file);
  renameSync(`${path}.part`, path);
}

function queriesOf(texts: readonly string[], count: number): string[] {
  const rng = Rng.from(SEED, 'queries');
  return Array.from({ length: count }, () => queryOf(texts[rng.int(texts.length)]!, STOPWORDS, rng));
}

/** The queries of a collection. */
export function readRaceQueries(path: string): string[] {
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}
