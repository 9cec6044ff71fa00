/** Building shards: what they hold, that nothing but text and options decides their bytes, and that interrupted work goes on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError, sha256 } from '../../base/index.ts';
import { Tokenizer } from '../../tokenizer/index.ts';
import { openTexts } from '../text/open-texts.ts';
import { buildShards } from './build.ts';
import { isHeldOut } from './held-out.ts';
import { readManifest } from './manifest.ts';
import { ShardReader } from './reader.ts';
import {
  build,
  contents,
  DOCUMENTS,
  json,
  OPTIONS,
  root,
  source,
  tokenizer,
  tokensIn,
} from './testing/corpus.ts';

const manifest = await build('plain');
const expected = await contents('plain');

test('the shards hold every document once, in order, each with its end', async () => {
  for (const split of ['train', 'heldOut'] as const) {
    const chosen = DOCUMENTS.filter(text => isHeldOut(Buffer.from(text), 17, 0.1) === (split === 'heldOut'));
    const { ids } = await tokenizer.encodeBatch(chosen, { addEos: true });
    assert.deepEqual(await tokensIn('plain', manifest, split), [...ids]);
    assert.equal(manifest[split].documents, chosen.length);
    assert.equal(manifest[split].tokens, ids.length);
    assert.equal(manifest[split].bytes, Buffer.byteLength(chosen.join('')));
  }
  assert.ok(manifest.train.shards.length > 3);
  assert.equal(manifest.train.shards[0]!.tokens, 5000);
  assert.equal(manifest.dtype, 'uint16');
  assert.deepEqual(manifest.tokenizer, { sha256: sha256(json), vocabSize: 500, eosId: 0 });
  assert.equal(await readFile(join(root, 'plain', 'tokenizer.json'), 'utf8'), json);
  assert.deepEqual(
    Object.keys(expected).filter(file => !file.endsWith('.bin')),
    ['manifest.json', 'tokenizer.json'],
  );
});

test('the number of threads, batches and checkpoints changes no byte', async () => {
  await build('threads', { workers: 3, batchBytes: 7000, checkpointBytes: 1 });
  assert.deepEqual(await contents('threads'), expected);
});

test('empty documents are counted, and no text at all is refused', async () => {
  const { emptyDocuments, train, heldOut } = await build('empties', {}, ['', ...DOCUMENTS, ' \n']);
  assert.equal(emptyDocuments, 2);
  assert.equal(train.documents + heldOut.documents, DOCUMENTS.length);
  await assert.rejects(build('nothing', {}, ['', ' ']), /the corpus is empty/);
});

test('equal documents are on the same side, however they are wrapped', async () => {
  const wrapped = DOCUMENTS.map(text => `${text.replaceAll(' ', '\n')}\n`);
  const twice = await build('twice', {}, [...DOCUMENTS, ...wrapped]);
  assert.equal(twice.heldOut.documents, manifest.heldOut.documents * 2);
  const sides = (seed: number) => DOCUMENTS.map(text => isHeldOut(Buffer.from(text), seed, 0.1));
  assert.notDeepEqual(sides(17), sides(18));
  const share = sides(18).filter(Boolean).length / DOCUMENTS.length;
  assert.ok(share > 0.05 && share < 0.15, `${share}`);
  assert.equal((await build('none', { heldOut: 0 })).heldOut.tokens, 0);
});

test('a run that is interrupted anywhere goes on to the same bytes', async () => {
  const total = Math.ceil(Buffer.byteLength(DOCUMENTS.join('')) / 3000);
  for (let stop = 1; stop < total; stop += 7) {
    await rm(join(root, 'stopped'), { recursive: true, force: true });
    const abort = new AbortController();
    let batches = 0;
    const onProgress = () => {
      if (++batches === stop) abort.abort();
    };
    await assert.rejects(build('stopped', { onProgress, signal: abort.signal }), /abort/i);
    await assert.rejects(readManifest(join(root, 'stopped')), /making them was interrupted/);
    let fresh = 0;
    await build('stopped', { onProgress: () => void fresh++, workers: 2 });
    assert.ok(fresh <= total - stop + 4, `${fresh} batches after ${stop} of ${total}`);
    assert.deepEqual(await contents('stopped'), expected, `stopped after ${stop} batches`);
  }
});

test('kill -9 at any moment, and the same command makes the same bytes', async () => {
  const text = join(root, 'corpus.jsonl');
  await writeFile(
    text,
    DOCUMENTS.map(document => `${JSON.stringify({ text: document })}\n`)
      .join('')
      .repeat(4),
  );
  await writeFile(join(root, 't.json'), json);
  const run = (folder: string, killAfter?: number) =>
    new Promise<number>((resolve, reject) => {
      const modules = [import.meta.resolve('./build.js'), import.meta.resolve('../text/open-texts.js')];
      const code = `const { buildShards } = await import(${JSON.stringify(modules[0])});
        const { openTexts } = await import(${JSON.stringify(modules[1])});
        const { Tokenizer } = await import(${JSON.stringify(import.meta.resolve('../../tokenizer/index.js'))});
        const options = ${JSON.stringify({ ...OPTIONS, checkpointBytes: 1 })};
        await buildShards(await openTexts([${JSON.stringify(text)}]), await Tokenizer.fromFile(${JSON.stringify(join(root, 't.json'))}),
          ${JSON.stringify(join(root, folder))}, { ...options, onProgress: () => process.stdout.write('.') });`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let dots = 0;
      child.stdout.on('data', (data: Buffer) => {
        dots += data.length;
        if (killAfter !== undefined && dots >= killAfter) child.kill('SIGKILL');
      });
      child.on('error', reject);
      child.on('exit', exit => resolve(exit ?? -9));
    });
  assert.equal(await run('whole'), 0);
  let kills = 0;
  for (const after of [1, 15, 40]) if ((await run('killed', after)) === -9) kills++;
  assert.ok(kills >= 1, 'at least one run was killed before its end');
  assert.equal(await run('killed'), 0);
  assert.deepEqual(await contents('killed'), await contents('whole'));
});

test('a finished folder is not made again, and never overwritten with something else', async () => {
  let batches = 0;
  assert.deepEqual(await build('plain', { onProgress: () => void batches++ }), manifest);
  assert.equal(batches, 0);
  await assert.rejects(build('plain', { heldOut: 0.2 }), /holds shards of other text, another tokenizer/);
  await assert.rejects(build('plain', {}, DOCUMENTS.slice(1)), InputError);
  const other = await Tokenizer.fromJson(json.replace('"id": 0', '"id":  0'));
  await assert.rejects(buildShards([source(DOCUMENTS)], other, join(root, 'plain'), OPTIONS), InputError);
  await mkdir(join(root, 'strange'));
  await writeFile(join(root, 'strange', 'thesis.tex'), '');
  await assert.rejects(build('strange'), /holds thesis\.tex but no token shards/);
  await assert.rejects(build('share', { heldOut: 1 }), /from 0 to below 1/);
  assert.deepEqual(await contents('plain'), expected);
});

test('an unfinished folder of something else is refused', async () => {
  const abort = new AbortController();
  await assert.rejects(build('begun', { onProgress: () => abort.abort(), signal: abort.signal }), /abort/i);
  await assert.rejects(build('begun', { seed: 3 }), /holds unfinished shards of other text/);
  const rest = (await readdir(join(root, 'begun'))).find(name => name.startsWith('rest-'))!;
  await writeFile(join(root, 'begun', rest), 'damaged');
  await assert.rejects(build('begun'), /is damaged/);
});

test('a folder where nothing was done yet can be begun anew, a changed reading of a file cannot pass for it', async () => {
  const path = join(root, 'fields.jsonl');
  await writeFile(path, DOCUMENTS.map(text => JSON.stringify({ a: text, b: `${text}!` })).join('\n'));
  const make = async (field: string) =>
    buildShards(await openTexts([path], { field }), tokenizer, join(root, 'fields'), OPTIONS);
  await assert.rejects(make('text'), /expected 'text' to be a text/);
  for (const name of ['train-00099.bin', 'manifest.json.1-2.tmp'])
    await writeFile(join(root, 'fields', name), '');
  assert.equal((await make('a')).sources[0]!.reading, 'field a');
  assert.ok(!(await readdir(join(root, 'fields'))).some(name => /99|tmp/.test(name)));
  await assert.rejects(make('b'), /holds shards of other text/);
});

test('large vocabularies are stored in four bytes', async () => {
  const wide = await Tokenizer.fromJson(
    json.replace('"id": 1,', '"id": 70000,').replace('"<|padding|>": 1,', '"<|padding|>": 70000,'),
  );
  const made = await buildShards([source(DOCUMENTS)], wide, join(root, 'wide'), OPTIONS);
  assert.equal(made.dtype, 'uint32');
  const [narrow, broad] = await Promise.all(
    ['plain', 'wide'].map(name => ShardReader.open(join(root, name), { length: 32 })),
  );
  assert.deepEqual(broad!.batch(5, 4, 1), narrow!.batch(5, 4, 1));
  broad!.close();
  narrow!.close();
});

test('files are read with the same bytes as documents in memory', async () => {
  const path = join(root, 'same.jsonl');
  await writeFile(path, DOCUMENTS.map(text => JSON.stringify({ text })).join('\n'));
  const made = await buildShards(await openTexts([path]), tokenizer, join(root, 'fromFile'), OPTIONS);
  assert.deepEqual(made.train, manifest.train);
  assert.deepEqual(
    made.sources.map(({ name }) => name),
    ['same.jsonl'],
  );
});
