import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { InputError, Rng } from '../base/index.ts';
import { indexFolder } from './folder.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-bm25-folder-'));
after(() => rm(root, { recursive: true }));

async function collection(name: string, file: string, content: string | Uint8Array): Promise<string> {
  await mkdir(join(root, name));
  await writeFile(join(root, name, file), content);
  return join(root, name);
}

/** Enough text for several blocks, so that threads work on it together. */
const rng = Rng.from(5, 'folder test');
const documents = Array.from({ length: 12_000 }, (_, i) => ({
  _id: `doc é ${i}`,
  title: i % 3 === 0 ? `Title w${rng.int(500)}` : '',
  text: Array.from({ length: 1 + rng.int(80) }, () => `w${Math.floor(Math.exp(9 * rng.uniform()))}`).join(
    ' ',
  ),
}));
const json = documents.map(document => `${JSON.stringify(document)}\n`).join('');

async function indexed(folder: string, threads: number): Promise<Buffer> {
  const path = join(root, `index-${threads}.bm25`);
  await indexFolder(folder, path, { analyzer: 'english', threads });
  const bytes = await readFile(path);
  await rm(path);
  return bytes;
}

test('threads that read and analyze a corpus together make the same index as one, from every kind of file', async () => {
  const tsv = documents.map(({ _id, text }) => `${_id}\t${text}\n`).join('');
  for (const folder of [
    await collection('json', 'corpus.jsonl', json),
    await collection('windows', 'corpus.jsonl', `\ufeff${json.replaceAll('\n', '\r\n')}`),
    await collection('zipped', 'corpus.jsonl.gz', gzipSync(json)),
    await collection('tsv', 'collection.tsv', tsv),
  ]) {
    const one = await indexed(folder, 1);
    assert.ok(one.equals(await indexed(folder, 3)), folder);
  }
});

test('what is wrong with a corpus is found by threads as by one, wherever it stands', async () => {
  const lines = json.trimEnd().split('\n');
  const [first, middle] = [lines[0]!, 7000];
  lines[middle] = '{"_id": "x", "text": 5}';
  lines[middle + 1] = 'no json';
  lines.push(first, '');
  const folder = await collection('broken', 'corpus.jsonl', lines.join('\n'));
  const problems = async (threads: number) => {
    const error = await indexed(folder, threads).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof InputError);
    return error.problems;
  };
  const found = await problems(1);
  assert.deepEqual(await problems(3), found);
  assert.deepEqual(
    found.map(({ where }) => where.replace(/.*:/, '')),
    ['7002', '7001', '12001'], // of a block, lines that are no JSON come first
  );
  assert.match(found[2]!.message, /id 'doc é 0' was used on line 1 already/);
  assert.deepEqual(
    (await readdir(root)).filter(name => name.startsWith('index')),
    [],
  );
});

test('bytes that are no text, and a corpus of nothing, are refused by threads too', async () => {
  const bytes = Buffer.concat([Buffer.from(json), Buffer.from([0xff, 10])]);
  const folder = await collection('bytes', 'corpus.jsonl', bytes);
  await assert.rejects(indexed(folder, 2), /corpus\.jsonl:12001: not valid UTF-8/);
  const empty = await collection('empty', 'corpus.jsonl', '\n\n');
  await assert.rejects(indexed(empty, 2), /holds no documents/);
});
