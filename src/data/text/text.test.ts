import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { InputError } from '../../base/index.ts';
import type { TextFormatOptions } from './file-source.ts';
import { openTexts } from './open-texts.ts';
import { readDocuments } from './source.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-text-'));
after(() => rm(folder, { recursive: true }));
const golden = (name: string) => fileURLToPath(new URL(`../../../tests/golden/${name}`, import.meta.url));

async function put(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function read(named: readonly string[], format: TextFormatOptions = {}) {
  const sources = await openTexts(named, format);
  const result = { texts: [] as string[], empty: 0, bytes: 0, names: sources.map(source => source.name) };
  const onRead = (bytes: number) => {
    assert.ok(bytes >= result.bytes, 'progress never goes back');
    result.bytes = bytes;
  };
  for await (const batch of readDocuments(sources, { onRead })) {
    result.texts.push(...batch.texts);
    result.empty += batch.empty;
  }
  return { ...result, total: sources.reduce((sum, source) => sum + source.bytes, 0) };
}

const DOCUMENTS = ['first document', 'naïve 日本語 😀', 'two\nlines', 'last'];
const jsonLines = ['first document', '  ', 'naïve 日本語 😀', '', 'two\nlines', 'last']
  .map(text => JSON.stringify({ id: 1, text }))
  .join('\n');

test('JSON lines, compressed ones and parquet give the same documents; empty ones are counted', async () => {
  const files = [
    await put('a.jsonl', jsonLines),
    await put('a.jsonl.gz', gzipSync(jsonLines)),
    await put('a.ndjson', `\ufeff${jsonLines}\n\n`),
    golden('text.parquet'),
  ];
  for (const file of files) {
    const { texts, empty, bytes, total } = await read([file]);
    assert.deepEqual(texts, DOCUMENTS, file);
    assert.equal(empty, 2);
    assert.equal(bytes, total);
  }
});

test('a text file is one document, or one a paragraph', async () => {
  const text = '\ufeffone\r\ntwo\n\n \t\nthree\n\n\nfour';
  for (const file of [await put('p.txt', text), await put('p.txt.gz', gzipSync(text))]) {
    assert.deepEqual((await read([file])).texts, ['one\ntwo\n\n \t\nthree\n\n\nfour']);
    assert.deepEqual((await read([file], { paragraphs: true })).texts, ['one\ntwo', 'three', 'four']);
  }
  const blank = await read([await put('blank.txt', ' \n\n'), await put('full.txt', 'x')]);
  assert.deepEqual([blank.texts, blank.empty], [['x'], 1]);
});

test('paragraphs survive the blocks they are read in', async () => {
  const paragraphs = Array.from({ length: 30_000 }, (_, i) => `${i} ${'x'.repeat(i % 90)}\nsecond line`);
  const { texts } = await read([await put('long.txt', paragraphs.join('\n\n'))], { paragraphs: true });
  assert.deepEqual(texts, paragraphs);
});

test('another field can hold the text', async () => {
  const file = await put('f.jsonl', '{"body": "b", "text": "t"}');
  assert.deepEqual((await read([file], { field: 'body' })).texts, ['b']);
  await assert.rejects(
    read([golden('text.parquet')], { field: 'body' }),
    /no column 'body', only id, text, note/,
  );
});

test('folders and patterns stand for files in the order of their names', async () => {
  for (const name of [
    'tree/b.txt',
    'tree/a/z.txt',
    'tree/a/y.jsonl',
    'tree/c.md',
    'tree/.hidden.txt',
    'tree/ab.txt',
  ])
    await put(name, name.endsWith('jsonl') ? '{"text": "y"}' : name);
  await symlink(join(folder, 'tree'), join(folder, 'tree', 'circle'));
  const names = async (...named: string[]) => (await read(named.map(name => join(folder, name)))).names;
  assert.deepEqual(await names('tree'), ['tree/a/y.jsonl', 'tree/a/z.txt', 'tree/ab.txt', 'tree/b.txt']);
  assert.deepEqual(await names('tree/*.txt'), ['ab.txt', 'b.txt']);
  assert.deepEqual(await names('tree/**/*.txt'), ['a/z.txt', 'ab.txt', 'b.txt']);
  assert.deepEqual(await names('tree/?.txt'), ['b.txt']);
  assert.deepEqual(await names('tree/b.txt', 'tree/a'), ['b.txt', 'a/y.jsonl', 'a/z.txt']);
  await put('odd/[x]*.txt', 'x');
  assert.deepEqual(await names('odd/[x]*.txt'), ['[x]*.txt']);
});

test('hashes follow the content, not the place', async () => {
  const hashOf = async (path: string) => (await openTexts([path]))[0]!.hash();
  const [one, two] = [await put('h/one.txt', 'same'), await put('h/two.txt', 'same')];
  assert.equal(await hashOf(one), await hashOf(two));
  assert.notEqual(await hashOf(one), await hashOf(await put('h/three.txt', 'other')));
});

test('the embedded corpus is named like a file', async () => {
  const { texts, names } = await read([await put('extra.txt', 'more'), 'wordnet']);
  assert.deepEqual(names, ['wordnet', 'extra.txt']);
  assert.equal(texts.length, 117_792);
  assert.match(texts[0]!, /^entity : /);
});

test('everything that cannot be found is reported at once', async () => {
  const file = await put('n.txt', 'x');
  const error = await read([
    join(folder, 'absent.txt'),
    await put('n.md', 'x'),
    join(folder, 'tree', '*.xml'),
    join(folder, 'no-folder', '*.txt'),
    await put('bare/x.md', 'x').then(path => join(path, '..')),
    file,
    file,
  ]).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof InputError);
  const messages = error.problems.map(problem => problem.message).join('\n');
  assert.equal(error.problems.length, 6, messages);
  for (const pattern of [
    /no such file/,
    /of no kind/,
    /matches this pattern/,
    /holds no file/,
    /named twice/,
  ])
    assert.match(messages, pattern);
  await assert.rejects(openTexts([]), /name files/);
});

test('broken files are refused with the place, all problems of a file at once', async () => {
  const lines = '{"text": "ok"}\n{"text": 3}\nnot json\n{"txt": "a"}\n[1]\n{"text": null}\n{"text": "ok"}';
  const error = await read([await put('bad.jsonl', lines)]).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof InputError);
  assert.deepEqual(
    error.problems.map(({ where }) => where.slice(folder.length + 1)),
    ['bad.jsonl:3', 'bad.jsonl:5', 'bad.jsonl:2', 'bad.jsonl:4', 'bad.jsonl:6'],
  );
  const latin1 = Buffer.from('{"text": "caf\xe9"}', 'latin1');
  await assert.rejects(
    read([await put('l.jsonl', Buffer.concat([Buffer.from('{"text":"a"}\n'), latin1]))]),
    /l\.jsonl:2: not valid UTF-8/,
  );
  await assert.rejects(
    read([await put('l.txt', Buffer.from('a\nb\xe9c', 'latin1'))]),
    /l\.txt:2: not valid UTF-8/,
  );
  await assert.rejects(read([golden('text-latin1.parquet')]), /text-latin1\.parquet: not valid UTF-8/);
  await assert.rejects(
    read([await put('x.parquet', 'PAR1 nonsense PAR1')]),
    /x\.parquet: not a readable parquet/,
  );
  await assert.rejects(
    read([await put('t.jsonl.gz', gzipSync(jsonLines).subarray(0, 40))]),
    /t\.jsonl\.gz: the gzip stream ends too early/,
  );
});

test('a corpus without any text is refused', async () => {
  await assert.rejects(
    read([await put('e.jsonl', '{"text": " "}\n'), await put('e.txt', '')]),
    /e\.jsonl, e\.txt: the corpus is empty/,
  );
});

test('reading stops when it is told to', async () => {
  const abort = new AbortController();
  const documents = readDocuments(await openTexts([await put('s.jsonl', jsonLines)]), {
    signal: abort.signal,
  });
  abort.abort();
  await assert.rejects(async () => {
    for await (const _ of documents);
  }, /abort/i);
});
