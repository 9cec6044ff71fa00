/** Reading shards: batches and their order, and damaged shards and manifests, which are refused. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError, sha256 } from '../../base/index.ts';
import { readManifest, type ShardManifest } from './manifest.ts';
import { ShardReader } from './reader.ts';
import { build, root, tokensIn } from './testing/corpus.ts';

const manifest = await build('plain');

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
  await build('none', { heldOut: 0 });
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
