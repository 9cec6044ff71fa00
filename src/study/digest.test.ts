import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOf, HashCache, listFiles, outsideDigest } from './digest.ts';
import { changesBetween, type Fingerprint, identityOf, plainJson } from './fingerprint.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-digest-'));
after(() => rm(root, { recursive: true }));

test('a folder is identified by the paths and contents of its files', async () => {
  const hashes = [];
  for (const name of ['one', 'two']) {
    const folder = join(root, name);
    await mkdir(join(folder, 'b'), { recursive: true });
    for (const file of name === 'one' ? ['a', 'b/c'] : ['b/c', 'a'])
      await writeFile(join(folder, file), file);
    hashes.push((await digestOf(folder, 'refuse')).sha256);
  }
  assert.equal(hashes[0], hashes[1]);
  await rename(join(root, 'two', 'a'), join(root, 'two', 'A'));
  assert.notEqual((await digestOf(join(root, 'two'), 'refuse')).sha256, hashes[0]);
  assert.deepEqual(await listFiles(join(root, 'one'), 'refuse'), ['a', 'b/c']);
});

test('links are followed in folders of the user, refused in outputs, and loops are found', async () => {
  const folder = join(root, 'linked');
  await mkdir(folder);
  await writeFile(join(root, 'target'), 'x');
  await symlink(join(root, 'target'), join(folder, 'link'));
  assert.equal((await digestOf(folder, 'follow')).bytes, 1);
  await assert.rejects(digestOf(folder, 'refuse'), /neither a regular file nor a folder/);
  await symlink(folder, join(folder, 'loop'));
  await assert.rejects(outsideDigest(folder), /leads back to a folder that contains it/);
  await assert.rejects(outsideDigest(join(root, 'nowhere')), /no such file or folder/);
});

test('a remembered hash is used only while the file looks untouched', async () => {
  const path = join(root, 'corpus');
  const memory = join(root, 'hashes.json');
  await writeFile(path, 'first');
  const later = () => Date.now() + 60_000; // long after the file was written
  const cache = await HashCache.load(memory, later);
  const first = await cache.hash(path);
  await cache.save();
  const again = await HashCache.load(memory, later);
  assert.deepEqual(await again.hash(path), first);
  const written = new Date();
  await writeFile(path, 'other'); // as long as before
  await utimes(path, written, written);
  assert.notEqual((await again.hash(path)).sha256, first.sha256);
});

test('the hash of a file that was written a moment ago is not remembered', async () => {
  const path = join(root, 'fresh');
  const memory = join(root, 'fresh.json');
  await writeFile(path, 'x');
  const cache = await HashCache.load(memory, Date.now);
  await cache.hash(path);
  await cache.save();
  await assert.rejects(digestOf(memory, 'refuse'), /ENOENT/);
});

test('a wrong memory lies only as long as it is not forgotten', async () => {
  const path = join(root, 'big');
  const memory = join(root, 'lies.json');
  await writeFile(path, 'x');
  const cache = await HashCache.load(memory, () => Date.now() + 60_000);
  const truth = await cache.hash(path);
  await cache.save();
  const { readFile } = await import('node:fs/promises');
  const lie = (await readFile(memory, 'utf8')).replace(truth.sha256, '0'.repeat(64));
  await writeFile(memory, lie);
  const deceived = await HashCache.load(memory, () => Date.now() + 60_000);
  assert.equal((await deceived.hash(path)).sha256, '0'.repeat(64));
  deceived.forget(path);
  assert.deepEqual(await deceived.hash(path), truth);
  await writeFile(memory, 'not JSON');
  assert.deepEqual(await (await HashCache.load(memory, Date.now)).hash(path), truth);
});

const base: Fingerprint = {
  format: 1,
  kind: 'k',
  version: 1,
  params: { a: 1, b: { c: [1, 2] } },
  inputs: {},
};

test('an identity depends on every field of a fingerprint and not on the order of its keys', () => {
  const same: Fingerprint = { ...base, params: { b: { c: [1, 2] }, a: 1 } };
  assert.equal(identityOf(same), identityOf(base));
  const digest = { name: 'x', type: 'file' as const, sha256: 'f'.repeat(64) };
  const others: Fingerprint[] = [
    { ...base, kind: 'l' },
    { ...base, version: 2 },
    { ...base, params: { a: 1, b: { c: [2, 1] } } },
    { ...base, inputs: { i: [digest] } },
    { ...base, inputs: { j: [digest] } },
    { ...base, inputs: { i: [digest, digest] } },
    { ...base, inputs: { i: [{ ...digest, name: 'y' }] } },
    { ...base, inputs: { i: [{ ...digest, type: 'folder' }] } },
  ];
  assert.equal(new Set([base, ...others].map(identityOf)).size, others.length + 1);
});

test('changes are named field by field', () => {
  const newer: Fingerprint = { ...base, version: 2, params: { a: 1, b: { c: [1], d: null } } };
  assert.deepEqual(changesBetween(base, newer), [
    { path: 'version', old: 1, new: 2 },
    { path: 'params.b.c', old: [1, 2], new: [1] },
    { path: 'params.b.d', old: undefined, new: null },
  ]);
  assert.deepEqual(changesBetween(base, { ...newer, kind: 'l' }), [{ path: 'kind', old: 'k', new: 'l' }]);
});

test('parameters that JSON cannot hold exactly are refused', () => {
  assert.deepEqual(plainJson({ a: [-0, 1.5], b: undefined, c: null }, 'p'), { a: [0, 1.5], c: null });
  for (const value of [Number.NaN, new Date(0), new Map(), () => 1, 3n, { a: { b: [Symbol('x')] } }])
    assert.throws(() => plainJson(value, 'p'), /p.* must be plain JSON data/);
});
