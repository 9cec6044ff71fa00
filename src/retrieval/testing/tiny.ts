/** Models and collections small enough for tests. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Rng } from '../../base/index.ts';
import type { Tensor } from '../../graph/index.ts';
import {
  DEFAULT_EMBEDDER,
  type EmbedderSettings,
  mptConfig,
  mptParameters,
  writeEmbedderDirectory,
  writeMptDirectory,
} from '../../models/index.ts';
import { initialize } from '../../nn/index.ts';
import { trainTokenizer } from '../../tokenizer/index.ts';

const WORDS =
  'amber birch cedar dune ember fjord grove heath inlet jade kelp lagoon marsh nectar oak peak quarry reef slope tide'.split(
    ' ',
  );

/** A few random words. */
export function sentence(rng: Rng, most = 8): string {
  return Array.from({ length: 1 + rng.int(most) }, () => WORDS[rng.int(WORDS.length)]!).join(' ');
}

export interface TinyModel {
  /** Of an embedder directory; a language model without settings if undefined. */
  readonly settings?: Partial<EmbedderSettings>;
  readonly seed?: number;
  /** Multiplies every weight. */
  readonly scale?: number;
}

/** Writes a model directory with random weights. */
export async function writeTinyModel(folder: string, { settings, seed = 3, scale = 1 }: TinyModel = {}) {
  const rng = Rng.from(1, 'tiny');
  const texts = Array.from({ length: 200 }, () => sentence(rng));
  const { json, vocabSize } = await trainTokenizer(once(texts), { vocabSize: 300, workers: 1 });
  const config = mptConfig({ dModel: 16, heads: 2, layers: 2, vocabSize, maxLength: 64 });
  const weights = new Map(
    mptParameters(config).map(({ name, shape, initializer }): [string, Tensor] => {
      const length = shape.reduce((product, dim) => product * dim, 1);
      const data = initialize(name, length, initializer, seed).map(x => x * scale);
      return [name, { dtype: 'float32', shape, data }];
    }),
  );
  await mkdir(folder, { recursive: true });
  const tokenizerPath = `${folder}.tokenizer.json`;
  await writeFile(tokenizerPath, json);
  const specialTokens = { eos: '<|endoftext|>', pad: '<|padding|>' };
  const tokenizer = { path: tokenizerPath, specialTokens };
  if (settings === undefined) return writeMptDirectory(folder, config, weights, { tokenizer });
  const whole = { ...DEFAULT_EMBEDDER, ...settings };
  const embedder = { config, weights, tokenizerPath, specialTokens, settings: whole, card: '' };
  return writeEmbedderDirectory(folder, embedder);
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

export interface TinyCollection {
  readonly documents: number;
  readonly queries: number;
  readonly seed?: number;
  readonly split?: string;
  /** Name queries like documents, so that ids collide. */
  readonly sameIds?: boolean;
}

/** Writes a BEIR folder of random sentences; the words of query i come from document i, which is relevant, and so may be others. */
export async function writeTinyCollection(folder: string, options: TinyCollection): Promise<void> {
  const { documents, queries, seed = 5, split = 'test', sameIds = false } = options;
  const rng = Rng.from(seed, 'collection');
  const texts = Array.from({ length: documents }, () => sentence(rng));
  const queryId = (i: number) => (sameIds ? `d${i}` : `q${i}`);
  const corpus = texts.map((text, i) => ({ _id: `d${i}`, title: i % 3 === 0 ? 'Note' : '', text }));
  const asked = texts.slice(0, queries).map((text, i) => ({ _id: queryId(i), text: `${text} tide` }));
  const qrels = asked.flatMap(({ _id }, i) => [
    `${_id}\td${i}\t2`,
    `${_id}\td${(i + 7 + rng.int(documents - 20)) % documents}\t1`,
  ]);
  const jsonl = (rows: readonly object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('');
  await writeTree(folder, {
    'corpus.jsonl': jsonl(corpus),
    'queries.jsonl': jsonl(asked),
    [`qrels/${split}.tsv`]: `query-id\tcorpus-id\tscore\n${qrels.join('\n')}\n`,
  });
}

export async function writeTree(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}
