import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { InputError, type Progress, Rng } from '../base/index.ts';
import { indexFolder, parametersOf } from '../bm25/index.ts';
import { type PairRecord, readPairs, readRun } from '../data/index.ts';
import {
  DEFAULT_SETTINGS,
  type MineOptions,
  type MiningSettings,
  mine,
  miningText,
} from '../mining/index.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-mine-'));
after(() => rm(root, { recursive: true, force: true }));
const file = (name: string) => join(root, name);

const DOCUMENTS = 400;
const QUERIES = 2500;

/** A BEIR folder: short documents of a Zipf law (every tenth twice, under two ids), queries of three words of their positive. */
async function beirFolder(): Promise<string> {
  const folder = file('beir');
  await mkdir(join(folder, 'qrels'), { recursive: true });
  const rng = Rng.from(17, 'mine test');
  const word = () => `z${Math.floor(Math.exp(6 * rng.uniform()))}`;
  const texts = Array.from({ length: DOCUMENTS }, () => Array.from({ length: 12 }, word).join(' '));
  for (let i = 0; i < DOCUMENTS; i += 10) texts[i + 1] = texts[i]!.toUpperCase();
  const json = (values: readonly object[]) => values.map(value => JSON.stringify(value)).join('\n');
  const positives = Array.from({ length: QUERIES }, () => rng.int(DOCUMENTS));
  const queries = positives.map((p, i) => {
    const text = rng.shuffle(texts[p]!.toLowerCase().split(' ')).slice(0, 3).join(' ');
    return { _id: `q${i}`, text };
  });
  await writeFile(
    join(folder, 'corpus.jsonl'),
    json(texts.map((text, i) => ({ _id: `d${i}`, title: '', text }))),
  );
  await writeFile(join(folder, 'queries.jsonl'), json(queries));
  const rows = positives.map((p, i) => `q${i}\td${p}\t1\nq${i}\td${(p + 1) % DOCUMENTS}\t0`);
  await writeFile(join(folder, 'qrels', 'train.tsv'), `query-id\tcorpus-id\tscore\n${rows.join('\n')}\n`);
  return folder;
}

const beir = await beirFolder();
const options = (changes: Partial<MiningSettings> = {}, more: Partial<MineOptions> = {}): MineOptions => ({
  settings: { ...DEFAULT_SETTINGS, negatives: 5, ...changes },
  split: 'train',
  analyzer: 'plain',
  parameters: parametersOf(),
  ...more,
});

async function pairsOf(path: string): Promise<PairRecord[]> {
  const pairs: PairRecord[] = [];
  for await (const block of readPairs(path)) pairs.push(...block);
  return pairs;
}

const bytesOf = (name: string) => readFile(file(name), 'utf8');

test('a BEIR folder: one record a query, negatives neither relevant nor duplicates, provenance that agrees with the run', async () => {
  const report = await mine(beir, file('all.jsonl'), options({}, { saveCandidates: file('all.run') }));
  const pairs = await pairsOf(file('all.jsonl'));
  assert.deepEqual(
    pairs.map(pair => pair.query_id),
    Array.from({ length: QUERIES }, (_, i) => `q${i}`),
  );
  const { run } = await readRun(file('all.run'));
  assert.match(await bytesOf('all.run'), /^q0 Q0 d\d+ 1 [\d.]+ bm25,plain,lucene,k1=0.9,b=0.4\n/);
  const placeOf = new Map(run.queryIds.map((id, place) => [id, place]));
  for (const pair of pairs) {
    const texts = [...pair.pos, ...pair.neg].map(text => text.toLowerCase());
    assert.equal(new Set(texts).size, texts.length);
    const place = placeOf.get(pair.query_id!);
    const hits = place === undefined ? [] : run.hits(place);
    pair.neg_ids!.forEach((id, i) => {
      const rank = pair.neg_ranks![i]!;
      if (rank === null) assert.ok(!hits.some(hit => hit.id === id));
      else assert.deepEqual(hits[rank - 1], { id, score: pair.neg_scores![i] });
    });
    assert.equal(pair.neg.length, 5);
  }
  assert.equal(report.written, QUERIES);
  assert.ok(report.skipped.relevant > 2000 && report.skipped.duplicateOfRelevant > 200);
  assert.ok(report.negative!.max <= report.positive!.max + 10 && report.rank!.min >= 1);
  assert.match(miningText(report, options().settings), /2,500 of 2,500 queries written/);
  assert.deepEqual(
    (await readdir(root)).filter(name => name.includes('.parts')),
    [],
  );
});

test('the same bytes by any number of threads, with an index made before, from stored candidates, and zipped', async () => {
  const random = { sampling: 'random', ranks: { from: 2, to: 30 } } as const;
  await mine(beir, file('one.jsonl'), options(random, { saveCandidates: file('deep.run') }));
  await mine(beir, file('three.jsonl'), options(random, { threads: 3 }));
  await indexFolder(beir, file('made.index'), { analyzer: 'plain' });
  await mine(beir, file('made.jsonl.gz'), options(random, { index: file('made.index') }));
  const one = await bytesOf('one.jsonl');
  assert.equal(await bytesOf('three.jsonl'), one);
  assert.equal(gunzipSync(await readFile(file('made.jsonl.gz'))).toString(), one);
  await mine(beir, file('stored.jsonl'), options(random, { candidates: file('deep.run') }));
  const withoutPositiveScores = (pairs: readonly PairRecord[]) =>
    pairs.map(pair => ({ ...pair, pos_scores: [] }));
  assert.deepEqual(
    withoutPositiveScores(await pairsOf(file('stored.jsonl'))),
    withoutPositiveScores(await pairsOf(file('one.jsonl'))),
  );
});

/** Aborts when so many queries are done. */
function abortAt(done: number): { progress: Progress; signal: AbortSignal } {
  const controller = new AbortController();
  const update = (now: number, label: string) => {
    if (label === 'mine' && now === done) controller.abort();
  };
  const start = (label: string) => ({ update: (now: number) => update(now, label), finish() {} });
  return { progress: { start }, signal: controller.signal };
}

test('an interrupted run goes on with its finished shards, to the same bytes; other settings are refused', async () => {
  const output = file('resumed.jsonl');
  await assert.rejects(mine(beir, output, options({}, abortAt(2100))), { name: 'AbortError' });
  const scratch = await readdir(`${output}.parts`);
  assert.deepEqual(
    scratch.filter(name => name.endsWith('.jsonl')),
    ['000000.jsonl', '000001.jsonl'],
  );
  await assert.rejects(
    mine(beir, output, options({ negatives: 6 })),
    /unfinished work of a run with other settings/,
  );
  let begunAt = -1;
  const start = (label: string) => ({
    update: (now: number) => {
      if (label === 'mine' && begunAt < 0) begunAt = now;
    },
    finish() {},
  });
  await mine(beir, output, options({}, { progress: { start } }));
  assert.equal(begunAt, 2001);
  await mine(beir, file('unbroken.jsonl'), options());
  assert.equal(await bytesOf('resumed.jsonl'), await bytesOf('unbroken.jsonl'));
});

test('a run killed without warning leaves no output, and the same command finishes it', async () => {
  const output = file('killed.jsonl');
  const cli = fileURLToPath(new URL('./main.js', import.meta.url));
  const words = ['mine', beir, '-o', output, '--negatives', '5', '--analyzer', 'plain', '--threads', '2'];
  const child = spawn(process.execPath, [cli, ...words], { stdio: 'ignore' });
  const exited = new Promise(resolve => child.on('exit', resolve));
  const shards = async () =>
    (await readdir(`${output}.parts`).catch(() => [])).filter(name => name.endsWith('.jsonl')).length;
  while ((await shards()) === 0 && child.exitCode === null) await setTimeout(2);
  child.kill('SIGKILL');
  await exited;
  await mine(beir, output, options());
  assert.equal(await bytesOf('killed.jsonl'), await bytesOf('unbroken.jsonl'));
});

const write = async (name: string, records: readonly object[]) => {
  await writeFile(file(name), records.map(record => JSON.stringify(record)).join('\n'));
  return file(name);
};

test('a file of pairs: its distinct positives are the collection, and positives of the same query text are never negatives', async () => {
  const pairs = await write('pairs.jsonl', [
    { query: 'red apple', pos: ['a red apple on a tree'], neg: ['old'], prompt: 'Find:' },
    { query: 'Red  apple', pos: ['the apple is red'] },
    { query: 'green apple', pos: ['A red apple  on a tree', 'green apple pie'] },
    { query: 'car', pos: ['a fast car'] },
  ]);
  await mine(pairs, file('mined.jsonl'), options({ negatives: 1, short: 'keep' }));
  const [first, second, third, car] = await pairsOf(file('mined.jsonl'));
  assert.deepEqual([first!.neg, second!.neg], [['green apple pie'], ['green apple pie']]);
  assert.deepEqual(
    [first!.query_id, first!.prompt, first!.pos_ids, first!.neg_ids],
    ['q1', 'Find:', ['d1'], ['d3']],
  );
  assert.deepEqual([third!.pos_ids, third!.neg], [['d1', 'd3'], ['the apple is red']]);
  assert.deepEqual(car!.neg, []);
});

test('what to do with short queries', async () => {
  const pairs = await write('short.jsonl', [
    { query_id: 'a', query: 'car', pos: ['a fast car'], pos_ids: ['x'] },
    { query_id: 'b', query: 'boat', pos: ['a slow boat'], pos_ids: ['y'] },
    { query_id: 'c', query: 'slow car', pos: ['a slow car'], pos_ids: ['z'] },
  ]);
  const run = async (short: MiningSettings['short']) => {
    const report = await mine(pairs, file('short.out'), options({ negatives: 2, short }));
    return { report, mined: await pairsOf(file('short.out')) };
  };
  const padded = await run('pad-random');
  assert.deepEqual(
    padded.mined.map(({ neg_ids }) => [...neg_ids!].sort()),
    [
      ['y', 'z'],
      ['x', 'z'],
      ['x', 'y'],
    ],
  );
  assert.deepEqual(padded.mined[0]!.neg_ranks, [1, null]);
  assert.deepEqual([padded.report.short, padded.report.padded], [2, 3]);
  const kept = await run('keep');
  assert.deepEqual(
    kept.mined.map(({ neg_ids }) => neg_ids!.length),
    [1, 0, 2],
  );
  const dropped = await run('drop');
  assert.deepEqual(
    dropped.mined.map(({ query_id }) => query_id),
    ['c'],
  );
  assert.equal(dropped.report.dropped, 2);
  const refused = mine(
    pairs,
    file('refused.out'),
    options({ negatives: 2, short: 'error' }, { saveCandidates: file('refused.run') }),
  );
  await assert.rejects(refused, /2 of 3 queries have fewer than 2 eligible candidates/);
  // The rankings are kept, so that other settings can be tried at once; nothing else is left.
  assert.deepEqual(
    (await readdir(root)).filter(name => name.startsWith('refused')),
    ['refused.run'],
  );
  const again = options({ negatives: 2, short: 'keep' }, { candidates: file('refused.run') });
  assert.equal((await mine(pairs, file('again.out'), again)).written, 3);
});

test('inputs that do not belong together are refused', async () => {
  const other = await write('other.jsonl', [{ query: 'x', pos: ['y'] }]);
  await mkdir(file('clean'));
  const output = join(file('clean'), 'out.jsonl');
  const refuse = async (input: string, more: Partial<MineOptions>, message: RegExp) => {
    await assert.rejects(
      mine(input, output, options({}, more)),
      (error: unknown) => error instanceof InputError && message.test(error.message),
    );
    await rm(`${output}.parts`, { recursive: true, force: true });
  };
  await refuse(other, { index: file('made.index') }, /index of another collection/);
  await refuse(beir, { index: file('made.index'), analyzer: 'english' }, /built with the analyzer 'plain'/);
  await refuse(other, { candidates: file('deep.run') }, /is not in the collection/);
  await refuse(beir, { candidates: file('deep.run'), saveCandidates: file('x') }, /give one of the two/);
  await refuse(beir, { split: 'test' }, /has no qrels/);
  await refuse(file('absent'), {}, /no such file/);
  const mixed = await write('mixed.jsonl', [
    { query: 'x', pos: ['y'], pos_ids: ['1'] },
    { query: 'x', pos: ['y'] },
  ]);
  await refuse(mixed, {}, /1 of 2 records have pos_ids/);
  const two = await write('two.jsonl', [
    { query: 'x', pos: ['y'], pos_ids: ['1'] },
    { query: 'z', pos: ['w'], pos_ids: ['1'] },
  ]);
  await refuse(two, {}, /another text in an earlier record/);
  const twice = await write('twice.jsonl', [
    { query_id: '1', query: 'x', pos: ['y'] },
    { query_id: '1', query: 'z', pos: ['w'] },
  ]);
  await refuse(twice, {}, /record 2: query_id '1' stands in record 1 already/);
  const half = await write('half.jsonl', [
    { query_id: 'q2', query: 'x', pos: ['y'] },
    { query: 'z', pos: ['w'] },
  ]);
  await refuse(half, {}, /1 of 2 records have query_id/);
  const both = { candidates: file('deep.run'), index: file('made.index') };
  await refuse(beir, both, /come from a run or from an index/);
  await writeFile(file('others.run'), 'q99999 Q0 d1 1 2 other\n');
  await refuse(beir, { candidates: file('others.run') }, /has none of the queries to mine for/);
  await writeFile(file('nan.run'), 'q1 Q0 d1 1 nan other\n');
  await refuse(beir, { candidates: file('nan.run') }, /expected a finite score/);
  await writeFile(file('cut.jsonl.gz'), gzipSync(await readFile(two)).subarray(0, 50));
  await refuse(file('cut.jsonl.gz'), {}, /truncated/);
});

test('what failed before its first shard makes way for another run', async () => {
  const output = file('makes-way.jsonl');
  await writeFile(file('bad.run'), 'q1 Q0 nowhere 1 2 other\n');
  await assert.rejects(mine(beir, output, options({}, { candidates: file('bad.run') })), InputError);
  assert.ok((await readdir(root)).includes('makes-way.jsonl.parts'));
  await mine(beir, output, options());
  assert.equal(await bytesOf('makes-way.jsonl'), await bytesOf('unbroken.jsonl'));
});

test('queries that the ranking has nothing for are counted', async () => {
  const pairs = await write('unknown.jsonl', [
    { query: 'zebra', pos: ['a striped horse'] },
    { query: 'horse', pos: ['a fast horse'] },
  ]);
  const report = await mine(pairs, file('unknown.out'), options({ negatives: 1, short: 'keep' }));
  assert.deepEqual([report.short, report.unranked], [1, 1]);
  assert.match(miningText(report, options().settings), /1 of these have no candidate at all/);
});

test('pairs that name documents of a collection are mined with it, and are another run without it', async () => {
  const pairs = Array.from({ length: 40 }, (_, i) => ({
    ...{ query_id: `q${i}`, query_text: `z${1 + i} z2` },
    ...{ positive_document_ids: [`d${2 * i}`], negative_document_ids: [] },
  }));
  await writeFile(file('ids.jsonl'), pairs.map(pair => `${JSON.stringify(pair)}\n`).join(''));
  await assert.rejects(
    mine(file('ids.jsonl'), file('ids.out.jsonl'), options()),
    /document 'd0' is not known: name the collection it is of \(--corpus\)/,
  );
  await mine(file('ids.jsonl'), file('ids.out.jsonl'), options({}, { corpus: beir }));
  const mined = await pairsOf(file('ids.out.jsonl'));
  assert.equal(mined.length, 40);
  const corpus = await readFile(join(beir, 'corpus.jsonl'), 'utf8');
  for (const { pos, neg } of mined) {
    assert.equal(neg.length, 5);
    for (const text of [...pos, ...neg]) assert.ok(corpus.includes(JSON.stringify(text)));
  }
  await assert.rejects(
    mine(beir, file('none.jsonl'), options({}, { corpus: beir })),
    /corpus: .* is a collection itself/,
  );
});
