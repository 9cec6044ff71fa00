import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type InputError, silentProgress } from '../base/index.ts';
import { compareHits, type Qrels } from '../data/index.ts';
import { Encoder } from '../dense/index.ts';
import { measure, valuesOf } from '../metrics/index.ts';
import {
  type Collection,
  DenseRetriever,
  evaluateCollection,
  evaluateEmbedder,
  memoryCollection,
  openCollection,
} from './index.ts';
import { writeTinyCollection, writeTinyModel } from './testing/tiny.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-evaluate-'));
after(() => rm(root, { recursive: true }));

const effects = { progress: silentProgress, signal: new AbortController().signal };
const model = join(root, 'embedder');
await writeTinyModel(model, { settings: { maxPassageTokens: 16 } });
const folder = join(root, 'notes');
await writeTinyCollection(folder, { documents: 120, queries: 12 });
const onDisk = await openCollection(folder);

async function documentsIn(collection: Collection) {
  const all = { ids: [] as string[], texts: [] as string[] };
  for await (const { ids, texts } of collection.documents()) {
    all.ids.push(...ids);
    all.texts.push(...texts);
  }
  return all;
}
const documents = await documentsIn(onDisk);
const parts = {
  ...{ name: 'notes', split: 'test', removeSelf: false, queries: onDisk.queries, qrels: onDisk.qrels },
  ...{ documentIds: documents.ids, documentTexts: documents.texts },
};
const inMemory = memoryCollection(parts);

const rankingsOf = ({ run }: { readonly run: { queryIds: readonly string[]; hits(q: number): unknown } }) =>
  run.queryIds.map((id, q) => [id, run.hits(q)]);

/** trec_eval's nDCG written out: linear gain, log2 discount, ideal over all judged documents. */
function ndcg10(ranked: readonly string[], judged: ReadonlyMap<string, number>): number {
  const dcg = (gains: readonly number[]) =>
    gains.slice(0, 10).reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
  const ideal = [...judged.values()].sort((a, b) => b - a);
  return dcg(ranked.map(id => judged.get(id) ?? 0)) / dcg(ideal);
}

test('an embedder’s result is that of encoding everything and sorting all cosines', async () => {
  const result = await evaluateEmbedder(model, inMemory, { k: 50, threads: 1 }, effects);
  const encoder = await Encoder.open(model, { threads: 1 });
  const [queries, passages] = [
    await encoder.encode(inMemory.queries.texts, 'query'),
    await encoder.encode(documents.texts, 'passage'),
  ];
  const width = encoder.dimension;
  const scores = valuesOf(result.evaluation, measure('nDCG', 10));
  inMemory.queries.ids.forEach((id, q) => {
    const hits = documents.ids
      .map((document, d) => {
        let score = 0;
        for (let i = 0; i < width; i++) score += queries[q * width + i]! * passages[d * width + i]!;
        return { id: document, score };
      })
      .sort(compareHits);
    const place = result.evaluation.queryIds.indexOf(id);
    const expected = ndcg10(
      hits.map(hit => hit.id),
      inMemory.qrels.get(id)!,
    );
    assert.ok(Math.abs(scores[place]! - expected) < 1e-9, `${id}: ${scores[place]} and ${expected}`);
    assert.equal(result.run.depth(q), 50);
  });
  const { low, high } = intervalOf(result.summary.intervals.measures['nDCG@10']!);
  const mean = result.summary.measures['nDCG@10']!;
  assert.ok(low <= mean && mean <= high && low < high);
  assert.equal(result.documents, 120);
  await encoder.release();
});

const intervalOf = ([low, high]: readonly [number, number]) => ({ low, high });

test('disk and memory, folder and arrays give the same rankings', async () => {
  const dense = await evaluateEmbedder(model, inMemory, { threads: 1 }, effects);
  const scratch = join(root, 'scratch');
  const stored = await evaluateEmbedder(
    model,
    onDisk,
    { threads: 1 },
    { ...effects, scratch, corpusHash: 'x' },
  );
  assert.deepEqual(rankingsOf(stored), rankingsOf(dense));
});

test('prefixes, lengths and the end token come from the directory and can be overridden', async () => {
  const own = await DenseRetriever.open(model, { threads: 1 });
  assert.equal(own.encoder.settings.maxPassageTokens, 16);
  const settings = { queryPrefix: 'tide ', passagePrefix: 'reef ', maxPassageTokens: 5, appendEos: false };
  const other = await DenseRetriever.open(model, { threads: 1, settings });
  assert.deepEqual(other.encoder.settings, { ...own.encoder.settings, ...settings });
  assert.notDeepEqual(other.identity, own.identity);
  const [a, b] = [
    await evaluateCollection(own, inMemory, {}, effects),
    await evaluateCollection(other, inMemory, {}, effects),
  ];
  assert.notDeepEqual(rankingsOf(a), rankingsOf(b));
  await own.release();
  await other.release();
});

test('a checkpoint that was never finetuned is an embedder with the default settings', async () => {
  const raw = join(root, 'raw');
  await writeTinyModel(raw);
  const result = await evaluateEmbedder(raw, inMemory, { threads: 1 }, effects);
  const settings = { maxPassageTokens: 256 }; // the defaults, where the embedder's directory says 16
  const same = await evaluateEmbedder(model, inMemory, { threads: 1, settings }, effects);
  assert.deepEqual(rankingsOf({ run: result.run }), rankingsOf({ run: same.run }));
});

test('ids that collide by accident are kept, self-hits are dropped only where the rule says so', async () => {
  const twins = join(root, 'twins');
  await writeTinyCollection(twins, { documents: 60, queries: 6, sameIds: true });
  const kept = await evaluateEmbedder(model, await openCollection(twins), { threads: 1 }, effects);
  const rule = await openCollection(twins, { removeSelf: true });
  const dropped = await evaluateEmbedder(model, rule, { threads: 1 }, effects);
  kept.run.queryIds.forEach((id, q) => {
    const without = kept.run.hits(q).filter(hit => hit.id !== id);
    assert.equal(without.length, kept.run.depth(q) - 1, 'a query finds the document with its id');
    assert.deepEqual(dropped.run.hits(q), without);
  });
  const { removeSelf, task } = await openCollection(await named('arguana', twins));
  assert.deepEqual([removeSelf, task], [true, 'ArguAna']);
});

/** The same collection in a folder of that name. */
async function named(name: string, from: string): Promise<string> {
  const to = join(root, 'named', name);
  await cp(from, to, { recursive: true });
  return to;
}

test('bad collections are refused with every problem', async () => {
  const twice = { ...parts, documentIds: ['d1', 'd1', 'd2', 'd2'], documentTexts: ['a', 'b', 'c', 'd'] };
  assert.throws(
    () => memoryCollection(twice),
    (error: InputError) => error.problems.length === 2 && /'d1' is used twice/.test(error.message),
  );
  const unknown: Qrels = new Map([['nobody', new Map([['d1', 1]])]]);
  assert.throws(() => memoryCollection({ ...parts, qrels: unknown }), /'nobody' has judgements and no text/);
  assert.throws(
    () => memoryCollection({ ...parts, documentTexts: [] }),
    /120 document ids and 0 document texts/,
  );
  await assert.rejects(openCollection(join(root, 'nowhere')), /no such file or folder/);
  await assert.rejects(openCollection(root), /is this a BEIR folder\?/);
  await assert.rejects(openCollection(folder, { split: 'dev' }), /has no qrels/);
});

test('a measure that needs more documents than are kept is refused', async () => {
  const options = { k: 20, measures: [measure('R', 100)], threads: 1 };
  await assert.rejects(evaluateEmbedder(model, inMemory, options, effects), /too few for R@100/);
});

test('weights that overflow end in an error that names the text', async () => {
  const huge = join(root, 'huge');
  await writeTinyModel(huge, { scale: 1e30 });
  await assert.rejects(
    evaluateEmbedder(huge, inMemory, { threads: 1 }, effects),
    /the vector of 'q\d+' is not finite/,
  );
});

test('settings of sentence-transformers are read where our own are missing', async () => {
  const foreign = join(root, 'foreign');
  await writeTinyModel(foreign, {
    settings: { queryPrefix: 'Q: ', passagePrefix: 'P: ', maxPassageTokens: 20 },
  });
  await rm(join(foreign, 'isoflop_embedder.json'));
  const { settings } = await Encoder.open(foreign, { threads: 1 });
  const lengths = { maxQueryTokens: 20, maxPassageTokens: 20 }; // it has one length for both
  assert.deepEqual(settings, { queryPrefix: 'Q: ', passagePrefix: 'P: ', ...lengths, appendEos: true });
  const pooling = join(foreign, '1_Pooling', 'config.json');
  const changed = (await readFile(pooling, 'utf8')).replace(
    '"pooling_mode_mean_tokens": true',
    '"pooling_mode_mean_tokens": false',
  );
  await writeFile(
    pooling,
    changed.replace('"pooling_mode_lasttoken": false', '"pooling_mode_lasttoken": true'),
  );
  await assert.rejects(Encoder.open(foreign), /pools by lasttoken, expected the mean/);
  await writeFile(
    join(foreign, 'modules.json'),
    '[{"type": "x.Transformer", "path": ""}, {"type": "x.Dense", "path": "../up"}]',
  );
  await assert.rejects(
    Encoder.open(foreign),
    (error: InputError) => error.problems.length === 2 && /Transformer, Dense/.test(error.message),
  );
});
