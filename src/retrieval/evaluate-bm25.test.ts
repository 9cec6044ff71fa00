import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentProgress } from '../base/index.ts';
import { DATASETS, readMtebFolder } from '../data/index.ts';
import { Bm25Retriever, evaluateBm25, evaluateFolders, memoryCollection, openCollection } from './index.ts';
import { writeTinyCollection } from './testing/tiny.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-evaluate-bm25-'));
after(() => rm(root, { recursive: true }));

const quiet = { progress: silentProgress, signal: new AbortController().signal };

test('folder with an index on the disk and arrays in memory give the same rankings', async () => {
  const folder = join(root, 'notes');
  await writeTinyCollection(folder, { documents: 120, queries: 12 });
  const onDisk = await openCollection(folder);
  const [documentIds, documentTexts]: [string[], string[]] = [[], []];
  for await (const { ids, texts } of onDisk.documents()) {
    documentIds.push(...ids);
    documentTexts.push(...texts);
  }
  const inMemory = memoryCollection({ ...onDisk, documentIds, documentTexts });
  const searched = await evaluateBm25(inMemory, {}, quiet);
  const scratch = join(root, 'scratch');
  const indexed = await evaluateBm25(onDisk, {}, { ...quiet, scratch, corpusHash: 'x' });
  searched.run.queryIds.forEach((_, q) => {
    assert.deepEqual(indexed.run.hits(q), searched.run.hits(q));
  });
  assert.ok(searched.summary.measures['nDCG@10']! > 0.5, 'queries are made of their documents’ words');
});

test('self-hits are dropped only where the rule says so', async () => {
  const twins = join(root, 'twins');
  await writeTinyCollection(twins, { documents: 60, queries: 6, sameIds: true });
  const kept = await evaluateBm25(await openCollection(twins), {}, quiet);
  const dropped = await evaluateBm25(await openCollection(twins, { removeSelf: true }), {}, quiet);
  kept.run.queryIds.forEach((id, q) => {
    const without = kept.run.hits(q).filter(hit => hit.id !== id);
    assert.equal(without.length, kept.run.depth(q) - 1, 'a query finds the document it was made of');
    assert.deepEqual(dropped.run.hits(q), without);
  });
});

const data = process.env['ISOFLOP_DATA'];
test('SciFact as Lucene scores it', { skip: data ? false : 'ISOFLOP_DATA is not set' }, async () => {
  const { summary, documents } = await evaluateBm25(await openCollection(join(data!, 'scifact')), {}, quiet);
  assert.deepEqual([documents, summary.queries], [5183, 300]);
  assert.ok(Math.abs(summary.measures['nDCG@10']! - 0.6789) < 0.0005); // Anserini's regression page
  assert.ok(Math.abs(summary.measures['R@100']! - 0.9253) < 0.0005);
});

test('CQADupStack is the unweighted mean of its forums, and of no fewer', async () => {
  const folder = join(root, 'cqadupstack');
  const forums = DATASETS.filter(({ name }) => name.startsWith('cqadupstack/')).map(({ name }) => name);
  for (const [i, name] of forums.entries())
    await writeTinyCollection(join(root, ...name.split('/')), {
      documents: 40,
      queries: 3 + (i % 4),
      seed: i,
    });
  const results = join(root, 'forums');
  const effects = { ...quiet, warn: () => undefined };
  const { rows } = await evaluateFolders(new Bm25Retriever(), [folder], results, {}, effects);
  const { scores } = await readMtebFolder(results);
  const values = [...scores].filter(([task]) => task !== 'CQADupstackRetrieval').map(([, score]) => score);
  assert.equal(values.length, 12);
  const mean = values.reduce((sum, value) => sum + value, 0) / 12;
  assert.ok(Math.abs(rows[0]!.measures['nDCG@10']! - mean) < 1e-12);
  assert.ok(Math.abs(scores.get('CQADupstackRetrieval')! - mean) < 1e-12);
  assert.deepEqual([rows.length, rows[0]!.members], [1, 12]);
  const [low, high] = rows[0]!.interval;
  assert.ok(low < mean && mean < high);
  await rm(join(folder, 'tex'), { recursive: true });
  await assert.rejects(
    evaluateFolders(new Bm25Retriever(), [folder], join(root, 'eleven'), {}, effects),
    /lacks 1 of CQADupStack's 12 forums \(tex\)/,
  );
});
