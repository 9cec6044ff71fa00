import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { InputError, Rng } from '../base/index.ts';
import {
  compareHits,
  type Hit,
  type Run,
  type RunOptions,
  readRun,
  runLines,
  runSeparator,
} from './index.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-trec-'));
after(() => rm(root, { recursive: true }));

async function read(content: string | Buffer, options?: RunOptions) {
  const path = join(root, 'x.run');
  await writeFile(path, content);
  return readRun(path, options);
}

const rankings = (run: Run) => new Map(run.queryIds.map((id, q) => [id, run.hits(q)]));

async function problemsOf(content: string | Buffer, options?: RunOptions): Promise<string[]> {
  try {
    await read(content, options);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.problems.map(
      ({ where, message }) => `${where.slice(where.lastIndexOf('/') + 1)} ${message}`,
    );
  }
  return [];
}

test('six columns, in whatever order and with whatever blanks, become rankings', async () => {
  const layouts = [
    'a Q0 x 1 2.5 tag\na Q0 y 2 1e0 tag\nb Q0 x 0 -3 tag\n',
    '\ufeffa Q0 y 2 1 t\r\na Q0 x 1 2.5 t\r\nb Q0 x 1 -3 t',
    '# comment\n\n  a\tQ0  x 1 2.5 tag \nb Q0 x 1 -3 tag\na Q0 y 2 1 tag\n',
    'a\tQ0\tx\t1\t2.5\ttag\nb\tQ0\tx\t1\t-3\ttag\r\na\tQ0\ty\t2\t1\ttag\n',
    'a x 2.5\na y 1\nb x -3\n',
  ];
  const expected = new Map([
    [
      'a',
      [
        { id: 'x', score: 2.5 },
        { id: 'y', score: 1 },
      ],
    ],
    ['b', [{ id: 'x', score: -3 }]],
  ]);
  for (const text of layouts) {
    for (const content of [text, gzipSync(text)]) {
      const { run, warnings } = await read(content);
      assert.deepEqual(rankings(run), expected, text);
      assert.deepEqual(warnings, []);
    }
  }
});

test('a large run, many blocks long, is what a plain parser makes of it', async () => {
  const rng = Rng.from(17, 'large run');
  const expected = new Map<string, Hit[]>();
  const lines: string[] = [];
  for (let q = 0; q < 400; q++) {
    const hits: Hit[] = Array.from({ length: 1 + rng.int(900) }, (_, i) => ({
      id: `doc-${i}-${'\u00e9'.repeat(rng.int(9))}`,
      score: rng.int(3) === 0 ? rng.int(5) : rng.uniform(),
    }));
    expected.set(`query ${q}`.replace(' ', q % 7 === 0 ? '_' : '-'), hits);
  }
  for (const [query, hits] of expected) lines.push(runLines(query, hits, 'tag'));
  for (const hits of expected.values()) hits.sort(compareHits);
  const text = lines.join('');
  assert.ok(text.length > 6 << 20);
  for (const content of [text, gzipSync(text, { level: 1 })]) {
    const { run } = await read(content);
    for (const [q, id] of run.queryIds.entries()) assert.deepEqual(run.hits(q), expected.get(id), id);
    assert.equal(run.queryIds.length, expected.size);
  }
  const shuffled = rng.shuffle(text.trimEnd().split('\n')).join('\n');
  const { run } = await read(shuffled);
  for (const [q, id] of run.queryIds.entries()) assert.deepEqual(run.hits(q), expected.get(id), id);
});

test('any ids and scores survive writing and reading, ids with blanks by way of tabs', async () => {
  const id = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
    .filter(text => !/[\p{C}\s#]/u.test(text));
  const spaced = fc.tuple(id, id).map(([a, b]) => `${a} ${b}`);
  const score = fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => value + 0);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.oneof(id, spaced), { minLength: 1, maxLength: 20 }),
      fc.array(score, { minLength: 20, maxLength: 20 }),
      async (ids, scores) => {
        const hits = ids.map((name, i) => ({ id: name, score: scores[i]! })).sort(compareHits);
        const { run } = await read(runLines('q', hits, 'tag', runSeparator(ids)));
        assert.deepEqual(run.hits(0), hits);
      },
    ),
    { numRuns: 100 },
  );
});

test('every problem is reported with its line', async () => {
  const lines = [
    'q Q0 a 1 3.0 t',
    'q Q0 b 2 nan t',
    'q Q0 c 2 inf t',
    'q Q0 d 2 t',
    'q Q0 e 2 1 t more',
    'q Q0 f 2 1e999 t',
    'q Q0 g 2 0x10 t',
    'q Q0 h 2 2,5 t',
    'q Q0 i 3 1 t',
  ];
  const problems = await problemsOf(lines.join('\n'));
  assert.deepEqual(
    problems.map(problem => problem.split(' ')[0]),
    [2, 3, 4, 5, 6, 7, 8].map(line => `x.run:${line}`),
  );
  assert.match(problems[0]!, /expected a finite score, found 'nan'/);
  assert.match(problems[2]!, /expected 6 columns, found 5/);
  assert.match(problems[3]!, /expected 6 columns, found more/);
});

test('a document twice for one query is refused, wherever the lines stand', async () => {
  const problems = await problemsOf('q Q0 a 1 3 t\nr Q0 a 1 3 t\nq Q0 b 2 2 t\nq Q0 a 3 1 t\nr Q0 a 2 2 t\n');
  assert.deepEqual(problems, [
    "x.run:4 query 'q' has document 'a' twice (first on line 1)",
    "x.run:5 query 'r' has document 'a' twice (first on line 2)",
  ]);
});

test('files that are no runs are refused', async () => {
  assert.match((await problemsOf(''))[0]!, /holds no rankings/);
  assert.match((await problemsOf('# only a comment\n'))[0]!, /holds no rankings/);
  assert.match(
    (await problemsOf('a b\n'))[0]!,
    /x\.run:1 expected 'query Q0 document rank score tag'.*found 2 columns/,
  );
  assert.match(
    (await problemsOf(Buffer.from('q Q0 a 1 2 t\nq Q0 \xff 2 1 t\n', 'latin1')))[0]!,
    /x\.run:2 not valid UTF-8/,
  );
  assert.match((await problemsOf('x'.repeat(6 << 20)))[0]!, /line of more than/);
  const zipped = gzipSync(runLines('q', [{ id: 'a', score: 1 }], 't').repeat(10_000));
  assert.match((await problemsOf(zipped.subarray(0, 60)))[0]!, /truncated/);
  await assert.rejects(readRun(join(root, 'absent.run')), /absent\.run: no such file/);
  await assert.rejects(readRun(root), /is a folder/);
});

test('ranks that contradict the scores are a warning, ranks that say nothing are not', async () => {
  const descending = await read('q Q0 a 1 0.1 t\nq Q0 b 2 0.2 t\nq Q0 c 3 0.3 t\n');
  assert.match(descending.warnings[0]!, /ranks contradict the scores \(2 places, first at line 2\)/);
  assert.deepEqual(
    descending.run.hits(0).map(hit => hit.id),
    ['c', 'b', 'a'],
  );
  for (const ranks of [
    [0, 0, 0],
    [1, 2, 2],
    [0, 1, 2],
  ]) {
    const { warnings } = await read(ranks.map((rank, i) => `q Q0 d${i} ${rank} ${5 - i} t`).join('\n'));
    assert.deepEqual(warnings, []);
  }
});

test('a third column that counts is refused until one says what it holds', async () => {
  const msmarco = 'q\ta\t1\nq\tb\t2\nr\tc\t1\n';
  assert.match((await problemsOf(msmarco))[0]!, /--third-column ranks\|scores/);
  const asRanks = await read(msmarco, { thirdColumn: 'ranks' });
  assert.deepEqual(asRanks.run.hits(0), [
    { id: 'a', score: -1 },
    { id: 'b', score: -2 },
  ]);
  const asScores = await read(msmarco, { thirdColumn: 'scores' });
  assert.equal(asScores.run.hits(0)[0]!.id, 'b');
});

test('in single precision, scores closer than a float32 step tie', async () => {
  const text = `q Q0 a 1 ${1 + 1e-9} t\nq Q0 b 2 1 t\n`;
  const order = async (options: RunOptions) => (await read(text, options)).run.hits(0).map(hit => hit.id);
  assert.deepEqual(await order({}), ['a', 'b']);
  assert.deepEqual(await order({ float32: true }), ['b', 'a']);
});
