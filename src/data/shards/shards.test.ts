import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { InputError, Rng, sha256 } from '../../base/index.ts';
import { Tokenizer, trainTokenizer } from '../../tokenizer/index.ts';
import { openTexts } from '../text/open-texts.ts';
import { batchOf, type TextSource } from '../text/source.ts';
import { buildShards, type ShardOptions } from './build.ts';
import { isHeldOut } from './held-out.ts';
import { readManifest, type ShardManifest } from './manifest.ts';
import { ShardReader } from './reader.ts';
import { tokensOf } from './token-arrays.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-shards-'));
after(() => rm(root, { recursive: true }));

const license = await readFile(new URL('../../../LICENSE', import.meta.url), 'utf8');
const rng = Rng.from(11, 'documents');
const DOCUMENTS = Array.from({ length: 600 }, () => {
  const from = rng.int(license.length - 400);
  return license.slice(from, from + 1 + rng.int(400));
}).filter(text => text.trim() !== '');

const { json } = await trainTokenizer(
  (async function* () {
    yield DOCUMENTS;
  })(),
  { vocabSize: 500, workers: 1 },
);
const tokenizer = await Tokenizer.fromJson(json);

/** Documents in memory as a source. */
function source(texts: readonly string[], name = 'memory'): TextSource {
  return {
    name,
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

const OPTIONS: ShardOptions = {
  heldOut: 0.1,
  shardTokens: 5000,
  workers: 1,
  batchBytes: 3000,
  checkpointBytes: 9000,
};

async function build(name: string, options: ShardOptions = {}, texts = DOCUMENTS): Promise<ShardManifest> {
  return buildShards([source(texts)], tokenizer, join(root, name), { ...OPTIONS, ...options });
}

/** Every file of a folder by name. */
async function contents(name: string): Promise<Record<string, string>> {
  const files = (await readdir(join(root, name))).sort();
  const read = files.map(async file => [file, sha256(await readFile(join(root, name, file)))] as const);
  return Object.fromEntries(await Promise.all(read));
}

async function tokensIn(
  name: string,
  manifest: ShardManifest,
  split: 'train' | 'heldOut',
): Promise<number[]> {
  const shards = manifest[split].shards.map(async ({ file }) => [
    ...tokensOf(await readFile(join(root, name, file)), 2),
  ]);
  return (await Promise.all(shards)).flat();
}

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

test('an epoch holds every sequence once, in an order of its own', async () => {
  const reader = await ShardReader.open(join(root, 'plain'), { length: 64 });
  const stream = await tokensIn('plain', manifest, 'train');
  assert.equal(reader.sequences, Math.floor((stream.length - 1) / 64));
  const inOrder = Array.from({ length: reader.sequences }, (_, i) =>
    stream.slice(i * 64, i * 64 + 65).join(),
  );
  const epochs = [0, 1].map(epoch =>
    Array.from({ length: reader.sequences }, (_, place) => {
      const batch = reader.batch(epoch * reader.sequences + place, 1, 7);
      assert.equal(batch.epoch, epoch);
      return batch.tokens.join();
    }),
  );
  for (const epoch of epochs) {
    assert.notDeepEqual(epoch, inOrder);
    assert.deepEqual([...epoch].sort(), [...inOrder].sort());
  }
  assert.notDeepEqual(epochs[0], epochs[1]);
  reader.close();
});

test('a batch depends on seed, step and size alone', async () => {
  const reader = await ShardReader.open(join(root, 'plain'), { length: 32 });
  const four = [0, 1, 2, 3].flatMap(step => [...reader.batch(step, 2, 9).tokens]);
  reader.batch(1000, 3, 5);
  assert.deepEqual([...reader.batch(0, 8, 9).tokens], four);
  assert.notDeepEqual([...reader.batch(0, 8, 10).tokens], four);
  const last = reader.batch(0, reader.sequences + 3, 9); // runs over into the next epoch
  assert.deepEqual(
    [...last.tokens.subarray(reader.sequences * 33)],
    [0, 1, 2].flatMap(i => [...reader.batch(reader.sequences + i, 1, 9).tokens]),
  );
  reader.close();
});

test('the held-out split is read in order', async () => {
  const reader = await ShardReader.open(join(root, 'plain'), { split: 'heldOut', length: 100 });
  const stream = await tokensIn('plain', manifest, 'heldOut');
  const rows = [...reader.inOrder(3)].flatMap(({ tokens, rows }) =>
    Array.from({ length: rows }, (_, row) => [...tokens.subarray(row * 101, row * 101 + 101)]),
  );
  assert.deepEqual(
    rows,
    Array.from({ length: reader.sequences }, (_, i) => stream.slice(i * 100, i * 100 + 101)),
  );
  assert.equal(reader.bytesPerToken, manifest.heldOut.bytes / stream.length);
  reader.close();
  await assert.rejects(
    ShardReader.open(join(root, 'none'), { split: 'heldOut', length: 8 }),
    /hold out a larger share/,
  );
  await assert.rejects(
    ShardReader.open(join(root, 'plain'), { length: 1e6 }),
    /are no sequence of 1000000: add text/,
  );
});

test('damaged shards are refused, all of them at once', async () => {
  await build('damaged');
  const path = (index: number) => join(root, 'damaged', manifest.train.shards[index]!.file);
  await truncate(path(0), 9000);
  await writeFile(path(1), Buffer.alloc(10_000));
  await rm(path(2));
  await writeFile(path(3), Buffer.alloc(20_000));
  const error = await ShardReader.open(join(root, 'damaged'), { length: 32 }).catch(
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof InputError);
  const messages = error.problems.map(problem => problem.message);
  assert.equal(messages.length, 4);
  for (const [i, pattern] of [
    /cut short: 9000 of 10000/,
    /SHA-256/,
    /no such file/,
    /has 20000 bytes/,
  ].entries())
    assert.match(messages[i]!, pattern);
  const unchecked = await ShardReader.open(join(root, 'damaged'), { length: 5000, verify: false });
  assert.throws(() => [...unchecked.inOrder(1)], InputError);
  unchecked.close();
});

test('a token outside the vocabulary never leaves the reader', async () => {
  await build('outside');
  const shard = manifest.train.shards[0]!;
  const bytes = await readFile(join(root, 'outside', shard.file));
  bytes.writeUInt16LE(500, 200);
  await writeFile(join(root, 'outside', shard.file), bytes);
  const reader = await ShardReader.open(join(root, 'outside'), { length: 99, verify: false });
  assert.throws(() => [...reader.inOrder(1)], /token id 500 is outside the vocabulary/);
  reader.close();
  // A manifest that vouches for the changed file is refused by its own vocabulary.
  const lying = structuredClone(manifest);
  Object.assign(lying.train.shards[0]!, { sha256: sha256(bytes), maxId: 500 });
  await writeFile(join(root, 'outside', 'manifest.json'), JSON.stringify(lying));
  await assert.rejects(
    ShardReader.open(join(root, 'outside'), { length: 32 }),
    /token id 500 is outside the vocabulary/,
  );
  Object.assign(lying.train.shards[0]!, { maxId: 499 });
  await writeFile(join(root, 'outside', 'manifest.json'), JSON.stringify(lying));
  await assert.rejects(
    ShardReader.open(join(root, 'outside'), { length: 32 }),
    /its largest token id is 500, the manifest says 499/,
  );
});

test('manifests that make no sense are refused', async () => {
  await mkdir(join(root, 'manifests'));
  const refusedValue = async (value: unknown, pattern: RegExp) => {
    await writeFile(join(root, 'manifests', 'manifest.json'), JSON.stringify(value));
    await assert.rejects(readManifest(join(root, 'manifests')), pattern);
  };
  const refused = async (change: (manifest: ShardManifest) => void, pattern: RegExp) => {
    const changed = structuredClone(manifest);
    change(changed);
    await refusedValue(changed, pattern);
  };
  await refused(m => Object.assign(m, { version: 2 }), /has format version 2; this program reads 1/);
  await refused(m => Object.assign(m, { format: 'x' }), /format/);
  await refusedValue([], /manifest\.json/);
  await refusedValue(null, /manifest\.json/);
  await refused(m => Object.assign(m.train.shards[0]!, { file: '../x.bin' }), /train\.shards\.0\.file/);
  await refused(
    m => Object.assign(m.train.shards[0]!, { file: 'train-00007.bin' }),
    /expected file train-00000\.bin/,
  );
  await refused(m => Object.assign(m.train.shards[0]!, { tokens: 4999 }), /4999 tokens do not fit/);
  await refused(m => Object.assign(m.train, { tokens: 1 }), /but its shards hold/);
  await refused(m => Object.assign(m.train, { tokens: 1e300 }), /train\.tokens/);
  await refused(m => Object.assign(m.tokenizer, { vocabSize: 70_000 }), /does not fit into uint16/);
  await refused(m => Object.assign(m.tokenizer, { eosId: 500 }), /eosId 500 is outside/);
  await writeFile(join(root, 'manifests', 'manifest.json'), '{"train": ');
  await assert.rejects(readManifest(join(root, 'manifests')), /not valid JSON/);
  await assert.rejects(readManifest(join(root, 'no such folder')), /no such file/);
});

test('a damaged manifest is refused or harmless, and nothing else', async () => {
  await build('fuzzed');
  const path = join(root, 'fuzzed', 'manifest.json');
  const text = await readFile(path, 'utf8');
  await fc.assert(
    fc.asyncProperty(
      fc.nat(text.length - 1),
      fc.constantFrom('', '0', '-', '"', '9e9', 'null', '1'),
      async (at, by) => {
        await writeFile(path, text.slice(0, at) + by + text.slice(at + 1));
        const opened = await ShardReader.open(join(root, 'fuzzed'), { length: 32 }).catch(
          (error: unknown) => error,
        );
        assert.ok(opened instanceof ShardReader || opened instanceof InputError, String(opened));
        if (opened instanceof ShardReader) opened.close();
      },
    ),
    { numRuns: 150 },
  );
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
