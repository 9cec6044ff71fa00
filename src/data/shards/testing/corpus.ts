/** A small corpus, a tokenizer trained on it, and folders of shards made of them: for tests. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { Rng, sha256 } from '../../../base/index.ts';
import { Tokenizer, trainTokenizer } from '../../../tokenizer/index.ts';
import { batchOf, type TextSource } from '../../text/source.ts';
import { buildShards, type ShardOptions } from '../build.ts';
import type { ShardManifest } from '../manifest.ts';
import { tokensOf } from '../token-arrays.ts';

/** Where shards are made; removed when the tests of the file that imports this are done. */
export const root = await mkdtemp(join(tmpdir(), 'isoflop-shards-'));
after(() => rm(root, { recursive: true }));

const license = await readFile(new URL('../../../../LICENSE', import.meta.url), 'utf8');
const rng = Rng.from(11, 'documents');
export const DOCUMENTS = Array.from({ length: 600 }, () => {
  const from = rng.int(license.length - 400);
  return license.slice(from, from + 1 + rng.int(400));
}).filter(text => text.trim() !== '');

export const { json } = await trainTokenizer(
  (async function* () {
    yield DOCUMENTS;
  })(),
  { vocabSize: 500, workers: 1 },
);
export const tokenizer = await Tokenizer.fromJson(json);

/** Documents in memory as a source. */
export function source(texts: readonly string[]): TextSource {
  return {
    name: 'memory',
    reading: 'memory',
    bytes: texts.length,
    hash: async () => sha256(texts.join('\0')),
    async *documents({ onRead } = {}) {
      for (let from = 0; from < texts.length; from += 50) {
        onRead?.(Math.min(texts.length, from + 50));
        yield batchOf(texts.slice(from, from + 50));
      }
    },
  };
}

/** Many shards, batches and checkpoints from little text. */
export const OPTIONS: ShardOptions = {
  heldOut: 0.1,
  shardTokens: 5000,
  workers: 1,
  batchBytes: 3000,
  checkpointBytes: 9000,
};

/** Makes shards of documents in a folder of this name. */
export async function build(
  name: string,
  options: ShardOptions = {},
  texts = DOCUMENTS,
): Promise<ShardManifest> {
  return buildShards([source(texts)], tokenizer, join(root, name), { ...OPTIONS, ...options });
}

/** The SHA-256 of every file of a folder, by name. */
export async function contents(name: string): Promise<Record<string, string>> {
  const files = (await readdir(join(root, name))).sort();
  const read = files.map(async file => [file, sha256(await readFile(join(root, name, file)))] as const);
  return Object.fromEntries(await Promise.all(read));
}

/** The tokens of a split, in the order of its shards. */
export async function tokensIn(
  name: string,
  manifest: ShardManifest,
  split: 'train' | 'heldOut',
): Promise<number[]> {
  const shards = manifest[split].shards.map(async ({ file }) => [
    ...tokensOf(await readFile(join(root, name, file)), 2),
  ]);
  return (await Promise.all(shards)).flat();
}
