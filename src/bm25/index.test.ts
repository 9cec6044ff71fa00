import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { InputError, Rng } from '../base/index.ts';
import type { DocumentBatch } from './bags.ts';
import { type Bm25Index, buildIndex, buildInto, documentId } from './build.ts';
import { openIndex, saveIndex, writeIndex } from './file.ts';
import { prepare } from './prepare.ts';
import { DEFAULT_PARAMETERS } from './scoring.ts';
import { Searcher } from './search.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-bm25-'));
after(() => rm(folder, { recursive: true, force: true }));
const file = (name: string) => join(folder, name);

/** Documents of a Zipf law; one holds a word 400 times. */
function batches(documents: number, batchSize = 100): DocumentBatch[] {
  const rng = Rng.from(17, 'index test');
  const words = (n: number) =>
    Array.from({ length: n }, () => `z${Math.floor(Math.exp(6 * rng.uniform()))}`).join(' ');
  const texts = Array.from({ length: documents }, (_, i) =>
    i === 7 ? 'loud '.repeat(400) : words(rng.int(40)),
  );
  const cut: DocumentBatch[] = [];
  for (let from = 0; from < documents; from += batchSize) {
    const part = texts.slice(from, from + batchSize);
    cut.push({ ids: part.map((_, i) => `doc ${from + i} é`), texts: part });
  }
  return cut;
}

const options = { analyzer: 'english' } as const;

test('an index is the same built in memory or to a file, by one thread or several, in much memory or little, in batches of any size', async () => {
  const collection = batches(3000);
  await saveIndex(file('memory'), await buildIndex(collection, options));
  await writeIndex(file('file'), collection, options);
  for (const threads of [2, 3])
    await writeIndex(file(`${threads} threads`), collection, { ...options, threads });
  await writeIndex(file('batches'), batches(3000, 7), options);
  const same = async (names: readonly string[]) => {
    const [expected, ...others] = await Promise.all(names.map(name => readFile(file(name))));
    for (const [i, other] of others.entries()) assert.ok(expected!.equals(other), names[i + 1]);
  };
  await same(['memory', 'file', '2 threads', '3 threads', 'batches']);
  const memoryBytes = 50_000; // several parts, and bags in a temporary file
  await writeIndex(file('small'), collection, { ...options, memoryBytes });
  for (const threads of [2, 3])
    await writeIndex(file(`small, ${threads} threads`), collection, { ...options, memoryBytes, threads });
  await same(['small', 'small, 2 threads', 'small, 3 threads']);
  const [whole, cut] = [await openIndex(file('file')), await openIndex(file('small'))];
  assert.ok(cut.parts.length > 2);
  for (const query of ['z1 z2 z50', 'loud', 'z3 z3 z4 z60 z300']) {
    const search = (index: Bm25Index) => new Searcher(prepare(index, DEFAULT_PARAMETERS)).search(query, 50);
    assert.deepEqual(search(cut), search(whole));
  }
  assert.deepEqual(
    (await readdir(folder)).filter(name => name.endsWith('.tmp')),
    [],
  );
});

test('a head or a part that cannot be written ends the building, with that error', async () => {
  const full = new Error('no space left');
  for (const bad of ['head', 'part'] as const)
    for (const threads of [1, 2]) {
      const sink = {
        head: async () => undefined,
        part: async () => undefined,
        [bad]: () => Promise.reject(full),
      };
      const building = buildInto(sink, file('beside'), batches(500), {
        ...options,
        threads,
        memoryBytes: 10_000,
      });
      await assert.rejects(building, full);
    }
  assert.ok(!(await readdir(folder)).some(name => name.startsWith('beside')));
});

test('an index comes back from its file as it was', async () => {
  const index = await buildIndex(batches(500), options);
  await saveIndex(file('back'), index);
  assert.deepEqual(await openIndex(file('back')), index);
  assert.equal(documentId(index, 499), 'doc 499 é');
  assert.equal(
    index.tokens,
    index.lengths.reduce((sum, length) => sum + length, 0),
  );
});

test('duplicate ids and empty collections are refused, and no file is left', async () => {
  const twice = [{ ids: ['a', 'b', 'a', 'c', 'b'], texts: ['x', 'y', 'z', 'x', 'y'] }];
  await assert.rejects(buildIndex(twice, options), (error: InputError) => {
    assert.deepEqual(
      error.problems.map(({ where }) => where),
      ["document 'a'", "document 'b'"],
    );
    return error instanceof InputError;
  });
  await assert.rejects(writeIndex(file('none'), [], options), /holds no documents/);
  await assert.rejects(writeIndex(file('none'), twice, options), InputError);
  assert.ok(!(await readdir(folder)).some(name => name.startsWith('none')));
});

test('documents without terms can be indexed, and are never found', async () => {
  const index = await buildIndex([{ ids: ['a', 'b'], texts: ['', 'the of'] }], options);
  assert.equal(index.tokens, 0);
  assert.equal(
    new Searcher(prepare(index, DEFAULT_PARAMETERS)).search('anything the', 5).documents.length,
    0,
  );
});

const isDamage = (error: unknown) =>
  error instanceof InputError && /index|cut short|damaged|catalog|inconsistent/.test(error.message);

test('a file that is no index, of another version, cut short anywhere or changed anywhere gives an error and no index', async () => {
  await writeIndex(file('good'), batches(300), options);
  const good = await readFile(file('good'));
  const refuse = async (bytes: Uint8Array, what: string) => {
    await writeFile(file('bad'), bytes);
    await assert.rejects(openIndex(file('bad')), isDamage, what);
  };
  for (const text of ['', 'PK\x03\x04 not an index', 'x'.repeat(500)]) await refuse(Buffer.from(text), text);
  const other = Buffer.from(good);
  other.writeUInt32LE(2, 8);
  await writeFile(file('bad'), other);
  await assert.rejects(openIndex(file('bad')), /format version 2, expected 1/);
  const rng = Rng.from(17, 'damage');
  for (let i = 0; i < 40; i++) await refuse(good.subarray(0, rng.int(good.length)), 'cut');
  let harmless = 0;
  for (let i = 0; i < 150; i++) {
    const bytes = Buffer.from(good);
    bytes[rng.int(bytes.length)]! ^= 1 << rng.int(8);
    await writeFile(file('bad'), bytes);
    const opened = await openIndex(file('bad')).catch(isDamage);
    if (opened === false) assert.fail('another error');
    if (opened !== true) harmless++; // a bit of the padding between sections
  }
  assert.ok(harmless < 30, `${harmless} of 150 flips were not seen`);
  await assert.rejects(openIndex(file('absent')), /no such file/);
});

/** Where a section's bytes lie, and how to change the file so that all checksums agree. */
async function forge(name: string, change: (section: Buffer) => void): Promise<void> {
  const bytes = await readFile(file('good'));
  const jsonBytes = bytes.readUInt32LE(bytes.length - 16);
  const at = bytes.length - 16 - jsonBytes;
  const catalog = JSON.parse(bytes.toString('utf8', at, at + jsonBytes)) as {
    sections: { name: string; type: 'u8' | 'u16' | 'u32'; offset: number; length: number; crc32: number }[];
  };
  const section = catalog.sections.find(candidate => candidate.name === name)!;
  const size = { u8: 1, u16: 2, u32: 4 }[section.type] * section.length;
  const content = bytes.subarray(section.offset, section.offset + size);
  change(content);
  section.crc32 = crc32(content);
  const json = Buffer.from(JSON.stringify(catalog));
  const trailer = Buffer.from(bytes.subarray(bytes.length - 16));
  trailer.writeUInt32LE(json.length, 0);
  trailer.writeUInt32LE(crc32(json), 4);
  await writeFile(file('forged'), Buffer.concat([bytes.subarray(0, at), json, trailer]));
}

test('a file made wrong, with checksums that agree, is refused before search could read outside its arrays', async () => {
  await writeIndex(file('good'), batches(300), { ...options, codes: 30 });
  const forgeries: readonly (readonly [string, (section: Buffer) => void])[] = [
    ['parts.0.longPostings', section => section.writeUInt16LE(300, 4 * 50)], // no such document
    ['parts.0.longPostings', section => section.writeUInt16LE(31, 4 * 50 + 2)], // no such code
    ['parts.0.shortDocuments', section => section.writeUInt32LE(300, 0)],
    ['parts.0.shortCodes', section => section.writeUInt16LE(30, 0)],
    ['parts.0.windowStarts', section => section.writeUInt32LE(0xffffffff, 4)],
    ['parts.0.rareAt', section => section.writeUInt32LE(1, 0)],
    ['parts.0.rareTfs', section => section.writeUInt32LE(0, 0)],
    ['codes.tfs', section => section.writeUInt32LE(0, 0)],
    ['lengths', section => section.writeUInt32LE(12345, 0)],
    ['ids.ranks', section => section.writeUInt32LE(section.readUInt32LE(4), 0)],
    ['ids.ends', section => section.writeUInt32LE(0xffffff, 0)],
    ['terms.ends', section => section.writeUInt32LE(0xffffff, 0)],
    ['terms.df', section => section.writeUInt32LE(0, 0)],
    ['terms.starts', section => section.writeUInt32LE(0xffffff, 0)],
  ];
  await forge('lengths', () => undefined);
  await openIndex(file('forged')); // the forger itself makes a sound file
  for (const [name, change] of forgeries) {
    await forge(name, change);
    await assert.rejects(openIndex(file('forged')), /inconsistent index/, name);
  }
});
