import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { InputError, InternalError } from '../../base/index.ts';
import { type DType, elementCount, sameNumbers, type Tensor, tensor } from '../../graph/index.ts';
import {
  encodeSafetensorsHeader,
  parseSafetensorsHeader,
  readSafetensors,
  readSafetensorsHeader,
  SafetensorsFile,
  writeSafetensors,
  writeSafetensorsFrom,
} from './index.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-safetensors-'));
after(() => rm(folder, { recursive: true }));
const path = join(folder, 'model.safetensors');

/** A file from the text of its header. */
function fileOf(header: string | Uint8Array, data: Uint8Array = new Uint8Array(0), claimed?: bigint): Buffer {
  const json = Buffer.from(header as string);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const f32 = (shape: readonly number[], begin: number, end: number) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

async function problemsOf(bytes: Uint8Array): Promise<readonly string[]> {
  await writeFile(path, bytes);
  try {
    await readSafetensors(path);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    assert.ok(
      error.problems.every(({ where }) => where.includes('model.safetensors')),
      'every problem names the file',
    );
    return error.problems.map(({ where, message }) => `${where.slice(path.length)}${message}`);
  }
  return [];
}

const dtypes: readonly DType[] = ['float32', 'float64', 'int64', 'int32', 'bool'];

const anyTensor = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.nat(4), { maxLength: 3 }),
    seed: fc.nat(),
  })
  .map(({ dtype, shape, seed }): Tensor => {
    const numbers = Array.from({ length: elementCount(shape) }, (_, i) => (i * 7 + seed) % 251);
    return tensor(dtype, shape, dtype === 'bool' ? numbers.map(n => n % 2) : numbers);
  });
const anyTensors = fc.uniqueArray(
  fc.tuple(
    fc.string({ unit: 'grapheme' }).filter(name => name !== '__metadata__'),
    anyTensor,
  ),
  { maxLength: 5, selector: ([name]) => name },
);

test('whatever is written is read again, and its order does not matter', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyTensors,
      fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })),
      async (entries, metadata) => {
        await writeSafetensors(path, new Map(entries), { metadata });
        const first = await readFileBytes(path);
        const { tensors, metadata: read } = await readSafetensors(path);
        assert.deepEqual(new Map(entries), new Map(entries.map(([name]) => [name, tensors.get(name)])));
        assert.equal(tensors.size, entries.length);
        assert.deepEqual(new Map(Object.entries(metadata)), read);
        await writeSafetensors(path, new Map([...entries].reverse()), { metadata });
        assert.deepEqual(await readFileBytes(path), first);
      },
    ),
    { numRuns: 60 },
  );
});

async function readFileBytes(file: string): Promise<Buffer> {
  const handle = await open(file);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

test('data begin at a multiple of 8 bytes and wide types come first, so every tensor is aligned', async () => {
  const tensors = new Map([
    ['b', tensor('bool', [3], [1, 0, 1])],
    ['f', tensor('float32', [1], [1])],
    ['l', tensor('int64', [1], [1])],
  ]);
  await writeSafetensors(path, tensors);
  const header = await readSafetensorsHeader(path);
  assert.equal(header.dataStart % 8, 0);
  assert.deepEqual(
    [...header.tensors].map(([name, { begin }]) => [name, begin]),
    [
      ['l', 0],
      ['f', 8],
      ['b', 12],
    ],
  );
});

test('weights are stored as halves on request, and a number too large for them is refused with nothing written', async () => {
  const weights = new Map([
    ['w', tensor('float32', [3], [1, -0.333251953125, 65_504])],
    ['steps', tensor('int64', [1], [3])],
  ]);
  for (const weightType of ['F16', 'BF16', 'F32'] as const) {
    await writeSafetensors(path, weights, { weightType });
    const header = await readSafetensorsHeader(path);
    assert.equal(header.tensors.get('w')!.elementType, weightType);
    assert.equal(header.tensors.get('steps')!.elementType, 'I64');
    const { tensors } = await readSafetensors(path);
    if (weightType !== 'BF16') assert.deepEqual(tensors.get('w'), weights.get('w'));
  }
  const other = join(folder, 'other.safetensors');
  const large = new Map([['big', tensor('float32', [2], [1, 65_520])]]);
  await assert.rejects(
    writeSafetensors(other, large, { weightType: 'F16' }),
    /"big": 65520 is too large for F16/,
  );
  assert.deepEqual(
    (await readdir(folder)).filter(name => name.startsWith('other')),
    [],
  );
});

test('tensors are loaded one by one as they are written, and must be what was announced', async () => {
  let held = 0;
  const source = (name: string, shape: readonly number[], numbers: readonly number[]) => ({
    ...{ name, dtype: 'float32' as const, shape },
    load: async () => {
      assert.equal(held++, Number(name));
      return tensor('float32', [numbers.length], numbers);
    },
  });
  await writeSafetensorsFrom(path, [source('1', [1, 1], [7]), source('0', [2], [1, 2])]);
  assert.deepEqual([...(await readSafetensors(path)).tensors.keys()], ['0', '1']);
  held = 0;
  await assert.rejects(writeSafetensorsFrom(path, [source('0', [3], [1])]), InternalError);
  await assert.rejects(
    writeSafetensors(path, new Map([['__metadata__', tensor('bool', [], [1])]])),
    InternalError,
  );
});

test('a tensor beyond 4 GB of a file is read without the rest', async () => {
  const huge = 5 * 2 ** 30;
  const header = encodeSafetensorsHeader([
    ['huge', { elementType: 'F32', shape: [huge / 4], begin: 0, end: huge }],
    ['last', { elementType: 'BF16', shape: [2], begin: huge, end: huge + 4 }],
  ]);
  const sparse = join(folder, 'sparse.safetensors');
  const file = await open(sparse, 'w');
  await file.write(header);
  await file.write(Uint8Array.of(0x80, 0x3f, 0x00, 0xc0), 0, 4, header.byteLength + huge); // bfloat16 1 and -2
  await file.close();
  const opened = await SafetensorsFile.open(sparse);
  assert.deepEqual(await opened.read('last'), tensor('float32', [2], [1, -2]));
  await opened.close();
  await rm(sparse);
});

test('headers that lie about lengths are refused before anything is allocated', async () => {
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /^: 0 bytes are too few.*fetch it again/],
    [Uint8Array.of(1, 2, 3), /^: 3 bytes are too few/],
    [fileOf('{}', undefined, 3n), /claims 3 bytes, the file has 10 altogether/],
    [fileOf('{}', undefined, 2n ** 64n - 1n), /claims 18446744073709551615 bytes, more than the 100000000/],
    [fileOf('{}', undefined, 99_999_999n), /claims 99999999 bytes, the file has 10/],
    [fileOf('', undefined, 0n), /no JSON object/],
    [fileOf('{"a":'), /not valid JSON/],
    [fileOf('[]'), /no JSON object/],
    [fileOf('{} {}'), /not valid JSON/],
    [fileOf(Buffer.from([0x7b, 0x22, 0xff, 0x22])), /not valid UTF-8 at byte 2/],
    [fileOf(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`), /tensor "a": expected an object/],
  ];
  for (const [bytes, expected] of cases) {
    const problems = await problemsOf(bytes);
    assert.equal(problems.length, 1, String(expected));
    assert.match(`: ${problems[0]}`, expected);
  }
});

test('tensors that overlap, leave holes or lie outside are refused by name', async () => {
  const cases: [object, number, RegExp][] = [
    [{ a: f32([1], 0, 4), b: f32([2], 4, 12) }, 8, /tensor "b": its bytes 4 to 12 do not lie within the 8/],
    [{ a: f32([2], 0, 8), b: f32([1], 4, 8) }, 8, /tensor "b": overlaps/],
    [{ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4, /overlaps/],
    [{ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12, /tensor "b": 4 unused bytes before it/],
    [{ a: f32([1], 0, 4) }, 5, /1 bytes after the last tensor belong to none/],
    [{}, 4, /4 bytes after the last/],
    [{ a: f32([1], 4, 0) }, 4, /its bytes 4 to 0/],
    [{ a: f32([2], 0, 4) }, 4, /F32 of shape \[2\] takes 8 bytes, its data_offsets give 4/],
    [{ a: f32([2 ** 40, 2 ** 40], 0, 4) }, 4, /takes no whole and possible number of bytes/],
    [{ a: f32([0, 2 ** 52, 2 ** 52], 0, 0) }, 4, /after the last/],
    [{ a: { dtype: 'F4', shape: [1], data_offsets: [0, 1] } }, 1, /F4 of shape \[1\] takes no whole/],
    [{ a: f32([1.5], 0, 4) }, 4, /shape must be a list of whole numbers/],
    [{ a: f32([-1], 0, 4) }, 4, /shape must be/],
    [{ a: f32([2 ** 53], 0, 4) }, 4, /shape must be/],
    [{ a: { ...f32([1], 0, 4), shape: null } }, 4, /shape must be/],
    [{ a: { ...f32([1], 0, 4), data_offsets: [0] } }, 4, /data_offsets must be two whole numbers/],
    [{ a: { ...f32([1], 0, 4), dtype: 'F33' } }, 4, /unknown dtype "F33", expected one of BOOL/],
    [{ a: { ...f32([1], 0, 4), dtype: 'toString' } }, 4, /unknown dtype/],
    [{ a: { ...f32([1], 0, 4), dtype: 4 } }, 4, /unknown dtype/],
    [{ __metadata__: { a: 1 } }, 0, /__metadata__.a must be a string/],
    [{ __metadata__: [] }, 0, /__metadata__ must be an object/],
    [{ '\ud800': f32([0], 0, 0) }, 0, /not valid Unicode/],
  ];
  for (const [header, bytes, expected] of cases) {
    const problems = await problemsOf(fileOf(JSON.stringify(header), new Uint8Array(bytes)));
    assert.equal(problems.length, 1, `${expected}: ${problems}`);
    assert.match(problems[0]!, expected);
  }
});

test('all problems of a header are reported at once', async () => {
  const header = { a: f32([1], 0, 8), b: { ...f32([1], 4, 8), dtype: 'X' }, c: 7, d: f32([1], 0, 400) };
  assert.equal((await problemsOf(fileOf(JSON.stringify(header), new Uint8Array(8)))).length, 4);
});

test('a key given twice is refused, at every level and however it is spelled', async () => {
  const entry = JSON.stringify(f32([1], 0, 4));
  const data = new Uint8Array(4);
  assert.match((await problemsOf(fileOf(`{"a":${entry},"\\u0061" :${entry}}`, data)))[0]!, /names "a" twice/);
  const inner = '{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}';
  assert.match((await problemsOf(fileOf(inner, data)))[0]!, /names "shape" twice/);
  assert.deepEqual(
    await problemsOf(fileOf(`{"a":${entry},"\\"a\\\\":${JSON.stringify(f32([0], 4, 4))}}`, data)),
    [],
  );
});

test('names that objects have of their own are names like any other', async () => {
  const header = `{"__proto__":${JSON.stringify(f32([1], 0, 4))},"constructor":${JSON.stringify(f32([], 4, 8))}}`;
  await writeFile(path, fileOf(header, new Uint8Array(Float32Array.of(5, 6).buffer)));
  const { tensors } = await readSafetensors(path);
  assert.deepEqual([...tensors.keys()], ['__proto__', 'constructor']);
  assert.deepEqual(tensors.get('constructor'), tensor('float32', [], [6]));
});

test('tensors may lie in another order than the header names them', async () => {
  const header = { b: f32([1], 4, 8), a: f32([1], 0, 4), none: f32([0], 4, 4) };
  await writeFile(path, fileOf(JSON.stringify(header), new Uint8Array(Float32Array.of(1, 2).buffer)));
  const { tensors } = await readSafetensors(path);
  assert.deepEqual([tensors.get('a')!.data[0], tensors.get('b')!.data[0]], [1, 2]);
});

test('numbers that are none, booleans that are neither, and types without arithmetic are refused by name', async () => {
  const half = (...bits: number[]) => new Uint8Array(Uint16Array.from(bits).buffer);
  const single = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);
  const cases: [string, Uint8Array, number, RegExp][] = [
    ['F32', single(1, Number.NaN), 2, /tensor "w"element 1 is NaN.*earlier checkpoint/],
    ['F32', single(Number.NEGATIVE_INFINITY), 1, /element 0 is -Infinity/],
    ['F16', half(0x3c00, 0x7c00), 2, /element 1 is Infinity/],
    ['BF16', half(0x7fc0), 1, /element 0 is NaN/],
    ['F64', new Uint8Array(Float64Array.of(1, Number.NaN).buffer), 2, /element 1 is NaN/],
    ['BOOL', Uint8Array.of(1, 2), 2, /element 1 is 2, expected 0 or 1/],
    ['F8_E4M3', Uint8Array.of(1), 1, /is F8_E4M3, which isoflop cannot compute with: convert it/],
    ['U64', new Uint8Array(8), 1, /is U64, which/],
  ];
  for (const [dtype, data, count, expected] of cases) {
    const header = { w: { dtype, shape: [count], data_offsets: [0, data.length] } };
    const problems = await problemsOf(fileOf(JSON.stringify(header), data));
    assert.match(problems.join().replace(': ', ''), expected);
  }
  await writeSafetensors(path, new Map([['w', tensor('float32', [1], [Number.NaN])]]));
  const { tensors } = await readSafetensors(path, { nonFinite: true });
  assert.ok(Number.isNaN(tensors.get('w')!.data[0]));
});

test('paths that are no regular file are refused without waiting for them', async () => {
  await assert.rejects(readSafetensors(folder), /is a folder, expected a file/);
  await assert.rejects(readSafetensors(join(folder, 'absent')), /no such file/);
  if (process.platform !== 'win32') await assert.rejects(readSafetensors('/dev/zero'), /no regular file/);
});

test('a file that shrinks while it is open is noticed', async () => {
  await writeSafetensors(path, new Map([['w', tensor('float32', [4], [1, 2, 3, 4])]]));
  const file = await SafetensorsFile.open(path);
  await truncate(path, file.header.dataStart + 6);
  await assert.rejects(file.read('w'), /ends at byte \d+ while it is being read/);
  await assert.rejects(file.read('x'), /has no tensor "x"/);
  await file.close();
});

/** Reads correctly or throws an `InputError`: no crash, no other error. */
async function readsOrRefuses(bytes: Uint8Array): Promise<boolean> {
  await writeFile(path, bytes);
  try {
    const { tensors } = await readSafetensors(path, { nonFinite: true });
    for (const { shape, data } of tensors.values()) assert.equal(data.length, elementCount(shape));
    return true;
  } catch (error) {
    assert.ok(error instanceof InputError, `${error instanceof Error ? error.stack : error}`);
    return false;
  }
}

test('fuzz: random bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, framed) => {
      await readsOrRefuses(framed ? fileOf(bytes) : bytes);
    }),
    { numRuns: 300 },
  );
});

/** The same for a header alone: what it accepts must describe the data exactly. */
function describesOrRefuses(json: string, dataBytes: number): void {
  try {
    const { tensors } = parseSafetensorsHeader(Buffer.from(json), dataBytes, 'x');
    const covered = [...tensors.values()].reduce((sum, { begin, end }) => sum + (end - begin), 0);
    assert.equal(covered, dataBytes);
  } catch (error) {
    assert.ok(error instanceof InputError, `${error instanceof Error ? error.stack : error}`);
  }
}

test('fuzz: any JSON as a header', () => {
  fc.assert(fc.property(fc.json({ maxDepth: 4 }), fc.nat(16), describesOrRefuses), { numRuns: 500 });
});

test('fuzz: headers of plausible parts', () => {
  const size = fc.oneof(fc.nat(8), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e300, null, '4'));
  const entry = fc.record(
    {
      dtype: fc.constantFrom('F32', 'F16', 'BF16', 'I64', 'BOOL', 'F4', 'f32', 3),
      shape: fc.array(size, { maxLength: 3 }),
      data_offsets: fc.array(size, { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: ['dtype'] },
  );
  const header = fc
    .dictionary(fc.constantFrom('a', 'b', '__metadata__'), entry)
    .map(value => JSON.stringify(value));
  fc.assert(fc.property(header, fc.nat(40), describesOrRefuses), { numRuns: 1000 });
});

test('fuzz: valid files with bytes changed, cut or added', async () => {
  await writeSafetensors(
    path,
    new Map([
      ['a', tensor('float32', [8, 16], new Array(128).fill(1.5))],
      ['b', tensor('int64', [1], [5])],
      ['c', tensor('bool', [3], [1, 0, 1])],
    ]),
    { metadata: { format: 'pt' } },
  );
  const valid = await readFileBytes(path);
  let [read, refused] = [0, 0];
  const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  const seldom = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 3 }),
      seldom(fc.nat(valid.length)),
      seldom(fc.uint8Array({ maxLength: 4 })),
      async (changes, cut, added) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        const whole = Buffer.concat([bytes.subarray(0, cut), added ?? Buffer.alloc(0)]);
        if (await readsOrRefuses(whole)) read++;
        else refused++;
      },
    ),
    { numRuns: 300 },
  );
  assert.ok(read > 50 && refused > 50, `${read} read, ${refused} refused`);
});

test('the header functions are inverses', () => {
  const entry = { elementType: 'F16', shape: [2, 3], begin: 0, end: 12 } as const;
  const bytes = encodeSafetensorsHeader([['x', entry]], { a: 'b' });
  const header = parseSafetensorsHeader(bytes.subarray(8), 12, 'x');
  assert.deepEqual(header.tensors, new Map([['x', entry]]));
  assert.deepEqual(header.metadata, new Map([['a', 'b']]));
  assert.equal(header.dataStart, bytes.byteLength);
  assert.ok(sameNumbers(tensor('bool', [1], [1]), tensor('bool', [1], [1])));
});
