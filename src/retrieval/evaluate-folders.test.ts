import assert from 'node:assert/strict';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Progress, silentProgress } from '../base/index.ts';
import { readMtebFolder, readRun } from '../data/index.ts';
import { evaluateFiles } from '../metrics/index.ts';
import {
  embedCollection,
  evaluateFolders,
  type FoldersOptions,
  openEmbedder,
  openRetriever,
  searchEmbedded,
} from './index.ts';
import { writeTinyCollection, writeTinyModel, writeTree } from './testing/tiny.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-folders-'));
after(() => rm(root, { recursive: true }));

const model = join(root, 'embedder');
await writeTinyModel(model, { settings: {} });
const [notes, large] = [join(root, 'scifact'), join(root, 'large')];
await writeTinyCollection(notes, { documents: 80, queries: 10 });
await writeTinyCollection(large, { documents: 5000, queries: 5, seed: 9 }); // two blocks of vectors

const choice = { embedder: {}, threads: 1 };
const warnings: string[] = [];
const quiet = { progress: silentProgress, signal: new AbortController().signal };

async function evaluateInto(
  results: string,
  folders: readonly string[],
  change: { readonly model?: string; readonly options?: FoldersOptions; readonly progress?: Progress } = {},
  signal = quiet.signal,
) {
  const { retriever, params } = await openRetriever(change.model ?? model, { ...choice, bm25: {} });
  const { progress = silentProgress, options = {} } = change;
  const effects = { progress, signal, warn: (message: string) => void warnings.push(message) };
  return evaluateFolders(retriever, folders, results, { params, ...options }, effects).finally(() =>
    retriever.release(),
  );
}

async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      paths.sort().map(async path => [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const),
    ),
  );
}

test('what is written: an MTEB result our importer reads, a run that scores the same, a line a query', async () => {
  const results = join(root, 'written');
  const summary = await evaluateInto(results, [notes], { options: { name: 'lab/tiny' } });
  assert.deepEqual(Object.keys(await filesOf(results)), [
    'SciFact.json',
    'details/SciFact.json',
    'model_meta.json',
    'queries/SciFact.jsonl',
    'runs/SciFact.run',
    'summary.txt',
  ]);
  const value = summary.rows[0]!.measures['nDCG@10']!;
  const imported = await readMtebFolder(results);
  assert.equal(imported.model, 'lab/tiny');
  assert.equal(imported.scores.get('SciFact'), value);
  assert.ok(imported.params! > 0);
  const qrels = join(notes, 'qrels', 'test.tsv');
  const rescored = await evaluateFiles(qrels, [join(results, 'runs', 'SciFact.run')], {
    ...{ missing: 'zero', ties: 'none', seed: 17, resamples: 1000, level: 0.95 },
    ...{ test: 'randomisation', permutations: 1 },
  });
  assert.equal(rescored.summaries[0]!.measures['nDCG@10'], value);
  assert.deepEqual(rescored.summaries[0]!.intervals.measures['nDCG@10'], summary.rows[0]!.interval);
  const lines = (await readFile(join(results, 'queries', 'SciFact.jsonl'), 'utf8')).trim().split('\n');
  const perQuery = lines.map(line => JSON.parse(line) as Record<string, number>);
  assert.equal(perQuery.length, 10);
  const mean = perQuery.reduce((sum, row) => sum + row['nDCG@10']! / 10, 0);
  assert.ok(Math.abs(mean - value) < 1e-12);
  const task = JSON.parse(await readFile(join(results, 'SciFact.json'), 'utf8'));
  assert.equal(task.scores.test[0].main_score, value);
  assert.equal(task.scores.test[0].recall_at_100, summary.rows[0]!.measures['R@100']);
  assert.ok(warnings.some(text => /80 documents.*official collection has 5183/.test(text)));
});

test('finished collections are not evaluated again, damaged ones are, and bytes do not change', async () => {
  const results = join(root, 'again');
  await evaluateInto(results, [notes]);
  const [before, time] = [await filesOf(results), (await stat(join(results, 'SciFact.json'))).mtimeMs];
  const summary = await evaluateInto(results, [notes, large]);
  assert.equal(summary.rows.length, 2);
  assert.equal((await stat(join(results, 'SciFact.json'))).mtimeMs, time);
  await appendFile(join(results, 'runs', 'SciFact.run'), 'q0 Q0 d79 81 -1 x\n');
  const third = await evaluateInto(results, [notes, large]);
  assert.ok(warnings.some(text => /SciFact\.run is missing or changed/.test(text)));
  assert.deepEqual(third, summary);
  const { 'summary.txt': _, ...rest } = await filesOf(results);
  for (const [name, content] of Object.entries(before))
    if (name in rest) assert.equal(rest[name], content, name);
  const { mean, rows } = summary;
  const expected = (rows[0]!.measures['nDCG@10']! + rows[1]!.measures['nDCG@10']!) / 2;
  assert.ok(Math.abs(mean!.value - expected) < 1e-12 && mean!.low <= expected && expected <= mean!.high);
});

test('an interrupted evaluation goes on after its last whole block, to the same bytes', async () => {
  const [whole, broken] = [join(root, 'whole'), join(root, 'broken')];
  await evaluateInto(whole, [large]);
  const stop = new AbortController();
  const progress: Progress = {
    start: label => ({
      update(done) {
        if (label === 'embed large' && done > 4096) stop.abort();
      },
      finish() {},
    }),
  };
  await assert.rejects(evaluateInto(broken, [large], { progress }, stop.signal), { name: 'AbortError' });
  const first = join(broken, 'scratch', 'large', 'vectors', '00000.f32');
  const written = (await stat(first)).mtimeMs;
  let checked = false;
  const watching: Progress = {
    start: () => ({
      update(done) {
        if (done > 4096) checked = true;
      },
      finish() {},
    }),
  };
  await evaluateInto(broken, [large], { progress: watching, options: { keepScratch: true } });
  assert.ok(checked);
  assert.equal((await stat(first)).mtimeMs, written, 'the first block was embedded once');
  await rm(join(broken, 'scratch'), { recursive: true });
  assert.deepEqual(await filesOf(broken), await filesOf(whole));
});

test('another model, other data, other settings and two collections of one name are refused', async () => {
  const results = join(root, 'refusals');
  await evaluateInto(results, [notes]);
  const other = join(root, 'other');
  await writeTinyModel(other, { settings: {}, seed: 4 });
  await assert.rejects(evaluateInto(results, [notes], { model: other }), /holds results of another model/);
  await assert.rejects(evaluateInto(results, [notes], { options: { k: 10 } }), /SciFact with other settings/);
  const changed = join(root, 'changed', 'scifact');
  await cp(notes, changed, { recursive: true });
  await appendFile(join(changed, 'corpus.jsonl'), '{"_id": "d999", "text": "amber"}\n');
  await assert.rejects(evaluateInto(results, [changed]), /SciFact with other data/);
  await assert.rejects(evaluateInto(results, [notes, changed]), /is called SciFact like/);
  await assert.rejects(evaluateInto(results, [join(root, 'nowhere')]), /no such file or folder/);
  await assert.rejects(evaluateInto(results, [model]), /has no qrels/);
  await writeTree(join(root, 'double'), {
    'corpus.jsonl': '{"_id":"d1","text":"a"}\n{"_id":"d1","text":"b"}\n',
    'queries.jsonl': '{"_id":"q1","text":"a"}\n',
    'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq1\td1\t1\n',
  });
  await assert.rejects(
    evaluateInto(results, [join(root, 'double')]),
    /corpus\.jsonl:2: id 'd1' was used on line 1/,
  );
});

test('measures that reach beyond k are left out, and asking for them is refused', async () => {
  const results = join(root, 'fifty');
  const { rows } = await evaluateInto(results, [notes], { options: { k: 50 } });
  const { measures } = rows[0]!;
  assert.deepEqual(
    ['R@20', 'R@100', 'nDCG@1000', 'AP'].map(name => name in measures),
    [true, false, false, true],
  );
  const table = await readFile(join(results, 'summary.txt'), 'utf8');
  assert.ok(table.includes('RR@10') && !table.includes('R@100'));
  await assert.rejects(evaluateInto(results, [notes], { options: { k: 5 } }), /too few for nDCG@10/);
});

test('settings of the wrong kind of retriever are refused', async () => {
  const bm25 = { parameters: { k1: 1 } };
  await assert.rejects(openRetriever(model, { ...choice, bm25 }), /k1: is a setting of BM25/);
  const embedder = { queryPrefix: 'x' };
  await assert.rejects(
    openRetriever('bm25', { embedder, bm25: {} }),
    /queryPrefix: is a setting of embedders/,
  );
  await assert.rejects(openEmbedder('bm25', choice), /makes no vectors/);
});

test('embed and search give the rankings of beir', async () => {
  const [results, vectors, run] = [join(root, 'direct'), join(root, 'vectors'), join(root, 'searched.run')];
  await evaluateInto(results, [notes]);
  const retriever = await openEmbedder(model, choice);
  const summary = await embedCollection(retriever, notes, vectors, {}, quiet);
  assert.deepEqual([summary.documents, summary.queries, summary.dimension], [80, 10, 16]);
  const searched = await searchEmbedded(vectors, run, { k: 1000, threads: 1 }, quiet);
  assert.deepEqual([searched.documents, searched.hits, searched.split], [80, 800, 'test']);
  assert.equal(await readFile(run, 'utf8'), await readFile(join(results, 'runs', 'SciFact.run'), 'utf8'));
  await searchEmbedded(vectors, run, { k: 3, threads: 1 }, quiet);
  assert.equal((await readRun(run)).run.scores.length, 30);
  await assert.rejects(embedCollection(retriever, large, vectors, {}, quiet), /holds vectors of SciFact/);
  await assert.rejects(
    searchEmbedded(notes, run, { k: 3 }, quiet),
    /expected a folder made by isoflop embed/,
  );
  await assert.rejects(searchEmbedded(vectors, run, { k: 3, split: 'dev' }, quiet), /no finished embeddings/);
  await retriever.release();
});

test('damaged vectors are no numbers', async () => {
  const vectors = join(root, 'damaged');
  const retriever = await openEmbedder(model, choice);
  await embedCollection(retriever, notes, vectors, {}, quiet);
  const block = join(vectors, 'passages', '00000.f32');
  const bytes = await readFile(block);
  bytes.writeUInt32LE(0x7fc00000, 4); // NaN
  await writeFile(block, bytes);
  await assert.rejects(
    searchEmbedded(vectors, join(root, 'x.run'), { k: 3 }, quiet),
    /does not match its manifest/,
  );
  await writeFile(block, bytes.subarray(0, 100));
  await embedCollection(retriever, notes, vectors, {}, quiet); // a torn block is made again
  const { hits } = await searchEmbedded(vectors, join(root, 'y.run'), { k: 3 }, quiet);
  assert.equal(hits, 30);
  await retriever.release();
});
