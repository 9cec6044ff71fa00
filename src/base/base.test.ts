import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  canonicalJson,
  compact,
  decodeUtf8,
  eachLine,
  exitCodeOf,
  hashOf,
  InputError,
  joinInside,
  mapConcurrently,
  moveFolder,
  Problems,
  prettyJson,
  progressLine,
  publishFolder,
  Rng,
  readInputJson,
  readLineBytes,
  StepError,
  terminalProgress,
  writeAtomically,
  writeFileAtomic,
} from './index.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-base-'));
after(() => rm(folder, { recursive: true }));

test('random streams are reproducible, independent and resumable', () => {
  const draw = (rng: Rng) => Array.from({ length: 5 }, () => rng.uint32());
  assert.deepEqual(draw(Rng.from(17, 'shuffle')), draw(Rng.from(17, 'shuffle')));
  assert.notDeepEqual(draw(Rng.from(17, 'shuffle')), draw(Rng.from(17, 'dropout')));
  assert.notDeepEqual(draw(Rng.from(17, 'a', 'b')), draw(Rng.from(17, 'ab')));
  const rng = Rng.from(1);
  rng.uniform();
  const copy = Rng.fromState(rng.state());
  assert.deepEqual(draw(copy), draw(rng));
});

test('random numbers have the moments of their distributions', () => {
  const rng = Rng.from(3, 'moments');
  const n = 200_000;
  let [sum, squares, normals, normalSquares] = [0, 0, 0, 0];
  const faces = new Array<number>(6).fill(0);
  for (let i = 0; i < n; i++) {
    const u = rng.uniform();
    const z = rng.normal();
    sum += u;
    squares += u * u;
    normals += z;
    normalSquares += z * z;
    faces[rng.int(6)]!++;
  }
  assert.ok(Math.abs(sum / n - 1 / 2) < 0.003);
  assert.ok(Math.abs(squares / n - 1 / 3) < 0.003);
  assert.ok(Math.abs(normals / n) < 0.01);
  assert.ok(Math.abs(normalSquares / n - 1) < 0.02);
  for (const count of faces) assert.ok(Math.abs(count - n / 6) < 5 * Math.sqrt(n / 6));
});

test('a shuffle is a permutation', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.integer(), (n, seed) => {
      const order = Rng.from(seed).permutation(n);
      assert.deepEqual(
        [...order].sort((a, b) => a - b),
        Array.from({ length: n }, (_, i) => i),
      );
    }),
  );
});

test('canonical JSON does not depend on key order and refuses what JSON cannot hold', () => {
  assert.equal(canonicalJson({ b: 1, a: [{ d: 2, c: undefined }] }), '{"a":[{"d":2}],"b":1}');
  assert.equal(hashOf({ x: 1, y: 2 }), hashOf({ y: 2, x: 1 }));
  assert.throws(() => canonicalJson({ loss: Number.NaN }), /loss is NaN/);
  assert.throws(() => prettyJson([Number.POSITIVE_INFINITY]), RangeError);
});

test('a file written atomically is whole or absent', async () => {
  const path = join(folder, 'deep', 'a.txt');
  await writeFileAtomic(path, 'first');
  await assert.rejects(
    writeAtomically(path, async file => {
      await file.write('half');
      throw new Error('crash');
    }),
    /crash/,
  );
  assert.equal(await readFile(path, 'utf8'), 'first');
  assert.deepEqual(await readdir(join(folder, 'deep')), ['a.txt']);
});

test('the first publisher of a folder wins and nothing is left behind', async () => {
  const path = join(folder, 'published');
  const fill = (text: string) => (into: string) => writeFile(join(into, 'x'), text);
  assert.equal(await publishFolder(path, fill('one')), true);
  assert.equal(await publishFolder(path, fill('two')), false);
  assert.equal(await readFile(join(path, 'x'), 'utf8'), 'one');
  assert.ok((await readdir(folder)).every(name => !name.endsWith('.tmp')));
});

test('a folder moves only where nothing stands, and stays where it was otherwise', async () => {
  const [from, to] = [join(folder, 'from'), join(folder, 'to')];
  for (const path of [from, to]) await writeFileAtomic(join(path, 'x'), path);
  assert.equal(await moveFolder(from, to), false);
  assert.equal(await readFile(join(from, 'x'), 'utf8'), from);
  assert.equal(await moveFolder(from, join(folder, 'free')), true);
  await assert.rejects(moveFolder(from, join(folder, 'again')), /ENOENT/);
});

test('concurrent work keeps the order of its items and stops at the first failure', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapConcurrently([5, 1, 4, 2, 3], 2, async n => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < n; turn++) await Promise.resolve();
    running--;
    return 2 * n;
  });
  assert.deepEqual(doubled, [10, 2, 8, 4, 6]);
  assert.equal(most, 2);
  const seen: number[] = [];
  const failing = mapConcurrently([0, 1, 2, 3], 1, async n => {
    seen.push(n);
    if (n === 1) throw new Error('second');
  });
  await assert.rejects(failing, /second/);
  assert.deepEqual(seen, [0, 1]);
});

test('names from outside cannot leave their folder', () => {
  assert.equal(joinInside('/a/b', 'c/d'), join('/a/b/c/d'));
  for (const name of ['../x', 'c/../../x', '/etc/passwd/../../..', 'a\0b', '..']) {
    assert.throws(() => joinInside('/a/b', name), InputError, name);
  }
});

test('lines are read from plain and gzip files with their numbers', async () => {
  const text = '\ufefffirst\r\nsecond\n\nlast \u00e9\u{1f600}';
  const plain = join(folder, 'lines.txt');
  const zipped = join(folder, 'zipped-without-suffix');
  await writeFile(plain, text);
  await writeFile(zipped, gzipSync(text));
  for (const path of [plain, zipped]) {
    const lines: string[] = [];
    await eachLine(path, (line, number) => lines.push(`${number}:${line}`));
    assert.deepEqual(lines, ['1:first', '2:second', '3:', '4:last \u00e9\u{1f600}']);
  }
});

test('lines survive any chunk boundary', async () => {
  const path = join(folder, 'long.txt');
  const lines = Array.from({ length: 40_000 }, (_, i) => `${i} ${'\u00e9'.repeat(i % 97)}`);
  await writeFile(path, `${lines.join('\n')}\n`); // several read chunks of 1 MiB
  const read: string[] = [];
  await eachLine(path, line => read.push(line));
  assert.deepEqual(read, lines);
});

test('lines are the same whether they come in one piece or in many, the longest among them', async () => {
  const rng = Rng.from(17, 'lines');
  const ends = ['\n', '\r\n', '\n\n'];
  const line = () => 'é語x'.repeat(rng.int(rng.int(50) === 0 ? 40_000 : 300));
  for (const last of ['', '\n', 'no end']) {
    const text = `${Array.from({ length: 3000 }, () => line() + ends[rng.int(3)]!).join('')}${last}`;
    const path = join(folder, 'many');
    await writeFile(path, text);
    assert.ok(Buffer.byteLength(text) > 3 << 20);
    const expected = text.replace(/\n$/, '').split(/\r?\n/);
    const read: string[] = [];
    await eachLine(path, (line, number) => {
      assert.equal(number, read.push(line));
    });
    assert.deepEqual(read, expected);
  }
});

test('lines as bytes, however few, own their memory: they can go to another thread', async () => {
  const path = join(folder, 'few');
  await writeFile(path, 'one\ntwo\nno end');
  const blocks = [];
  for await (const block of readLineBytes(path)) blocks.push(block.bytes);
  assert.deepEqual(
    blocks.map(bytes => bytes.toString()),
    ['one\ntwo', 'no end'],
  );
  for (const bytes of blocks) assert.equal(bytes.buffer.byteLength, bytes.length);
});

test('an invalid byte is named with its line, wherever in a large block it stands', async () => {
  const path = join(folder, 'invalid');
  const lines = Array.from({ length: 9000 }, (_, i) => Buffer.from(`line ${i} of some length\n`));
  for (const bad of [0, 2500, 8999]) {
    await writeFile(path, Buffer.concat(lines.with(bad, Buffer.from([0x61, 0xff, 10]))));
    await assert.rejects(
      eachLine(path, () => undefined),
      (error: InputError) => error.message.includes(`${path}:${bad + 1}`),
    );
  }
});

test('broken text files are refused with the place', async () => {
  const path = join(folder, 'broken');
  const read = () => eachLine(path, () => undefined, { maxLineBytes: 1 << 20 });
  await writeFile(
    path,
    Buffer.concat([Buffer.from('good\nbad \u00e9'), Buffer.from([0xff]), Buffer.from('\n')]),
  );
  await assert.rejects(read(), /broken:2: not valid UTF-8 at byte 6/);
  const zipped = gzipSync('x\n'.repeat(100_000));
  await writeFile(path, zipped.subarray(0, zipped.length / 2));
  await assert.rejects(read(), /truncated/);
  zipped[Math.floor(zipped.length / 2)]! ^= 0xff;
  await writeFile(path, zipped);
  await assert.rejects(read(), /gzip/);
  await writeFile(path, 'x'.repeat(4 << 20));
  await assert.rejects(read(), /broken:1: a line of more than/);
  await assert.rejects(
    eachLine(join(folder, 'absent'), () => undefined),
    /absent: no such file/,
  );
  await assert.rejects(
    eachLine(folder, () => undefined),
    /is a folder/,
  );
});

test('the first invalid byte is found wherever it stands', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string(), (before, after) => {
      const good = Buffer.from(before);
      const bytes = Buffer.concat([good, Buffer.from([0xf8]), Buffer.from(after)]);
      assert.throws(() => decodeUtf8(bytes, 'x'), new RegExp(`at byte ${good.length}:`));
    }),
  );
});

test('JSON files that are none say so', async () => {
  const path = join(folder, 'x.json');
  await writeFile(path, '{"a": 1');
  await appendFile(path, ',');
  await assert.rejects(readInputJson(path), /x\.json: not valid JSON/);
});

test('errors map to exit codes', () => {
  assert.equal(exitCodeOf(new InputError('a', 'b')), 2);
  assert.equal(exitCodeOf(new StepError('a', 'b')), 1);
  assert.equal(exitCodeOf(new TypeError('x')), 70);
  assert.equal(exitCodeOf(Object.assign(new Error('disk full'), { code: 'ENOSPC', syscall: 'write' })), 1);
});

test('problems beyond the fiftieth are counted, not listed', () => {
  const problems = new Problems();
  for (let i = 0; i < 60; i++) problems.add(`f:${i}`, 'bad');
  assert.equal(problems.list().length, 51);
  assert.match(problems.list().at(-1)!.message, /10 more/);
});

test('progress shows rate and time left, and counts only fresh work towards the rate', () => {
  const line = progressLine({
    label: 'pretrain',
    total: 1e6,
    unit: 'tokens',
    done: 5e5,
    fresh: 1e5,
    seconds: 10,
    note: 'loss 3.2',
    end: false,
  });
  assert.equal(
    line,
    'pretrain   50% [==========          ] 500k/1M tokens  10k tokens/s  0:50 left  loss 3.2',
  );
  assert.equal(compact(1_234_567), '1.23M');
});

test('the terminal line is drawn at most every so often and always at the end', () => {
  let now = 0;
  const drawn: string[] = [];
  const progress = terminalProgress({
    write: text => drawn.push(text),
    seconds: () => now,
    columns: () => 200,
    everySeconds: 1,
  });
  const task = progress.start('x', 10, 'files');
  for (let i = 0; i <= 10; i++) {
    now = i * 0.3;
    task.update(i);
  }
  task.finish();
  assert.equal(drawn.length, 4); // at 0, 1.2, 2.4 seconds, and the end
  assert.match(drawn.at(-1)!, /100% .* 10\/10 files .* in 0:03\n$/);
});
