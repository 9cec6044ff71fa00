import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { InputError } from '../base/index.ts';
import { type PairOptions, type PairRecord, pairLine, readPairs } from './index.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-pairs-'));
after(() => rm(root, { recursive: true }));

/** Written by bench/peers/pairs_parquet.py. */
const golden = (name: string) => fileURLToPath(new URL(`../../tests/golden/${name}`, import.meta.url));

async function pairsIn(path: string, options?: PairOptions): Promise<PairRecord[]> {
  const all: PairRecord[] = [];
  for await (const block of readPairs(path, options)) all.push(...block);
  return all;
}

async function read(content: string | Buffer, name = 'pairs.jsonl', options?: PairOptions) {
  await writeFile(join(root, name), content);
  return pairsIn(join(root, name), options);
}

const lines = (...records: readonly unknown[]) => records.map(record => JSON.stringify(record)).join('\n');

const mined: PairRecord = {
  query_id: 'q',
  query: 'query',
  pos: ['p'],
  pos_ids: ['1'],
  neg: ['n1', 'n2'],
  neg_ids: ['2', '3'],
  neg_scores: [2.5, 1.25],
  neg_ranks: [1, 4],
};

test('a mined pair comes back as it was written', async () => {
  assert.deepEqual(await read(pairLine(mined)), [mined]);
  assert.deepEqual(await read(gzipSync(pairLine(mined)), 'pairs.jsonl.gz'), [mined]);
});

test('every form of a pair becomes the same kind of record', async () => {
  const passage = (docid: string, text: string) => ({ docid, title: 'T', text });
  const pairs = await read(
    lines(
      {
        query: 'flag',
        pos: ['p'],
        neg: ['n'],
        pos_scores: [1],
        neg_scores: [0.5],
        prompt: 'Find:',
        type: 'x',
      },
      { query: 'weak', pos: 'p', src: '12' },
      {
        query_id: 3,
        query: 'old',
        positive_passages: [passage('a', 'p')],
        negative_passages: [passage('b', 'n')],
      },
      { query: 'no ids', positive_passages: [{ text: 'p' }], negative_passages: [] },
      {
        anchor: 'tuple',
        positive: 'p',
        negative_10: 'n10',
        negative_2: 'n2',
        negative_1: 'n1',
        negative_3: null,
      },
      { query: 'triplet', positive: 'p', negative: 'n' },
      { query: 'pair', positive: 'p' },
    ),
  );
  assert.deepEqual(pairs, [
    { query: 'flag', pos: ['p'], pos_scores: [1], neg: ['n'], neg_scores: [0.5], prompt: 'Find:' },
    { query: 'weak', pos: ['p'], neg: [] },
    { query_id: '3', query: 'old', pos: ['T p'], pos_ids: ['a'], neg: ['T n'], neg_ids: ['b'] },
    { query: 'no ids', pos: ['p'], neg: [], neg_ids: [] },
    { query: 'tuple', pos: ['p'], neg: ['n1', 'n2', 'n10'] },
    { query: 'triplet', pos: ['p'], neg: ['n'] },
    { query: 'pair', pos: ['p'], neg: [] },
  ]);
});

test('document ids are looked up in their collection', async () => {
  await writeFile(
    join(root, 'corpus.jsonl'),
    lines({ docid: 'a', title: 'A', text: 'x' }, { docid: 'b', text: 'y' }),
  );
  const record = {
    query_id: '1',
    query_text: 'q',
    positive_document_ids: ['a'],
    negative_document_ids: ['b'],
  };
  const old = { ...record, query_text: undefined, query: 'q' };
  const pair = { query_id: '1', query: 'q', pos: ['A x'], pos_ids: ['a'], neg: ['y'], neg_ids: ['b'] };
  assert.deepEqual(await read(lines(record, old), 'ids.jsonl', { corpus: root }), [pair, pair]);
  await assert.rejects(
    read(lines(record), 'ids.jsonl'),
    /ids\.jsonl:1: document 'a' is not known.*\n.*document 'b'/,
  );
});

test('MS MARCO triples are read from tab-separated text', async () => {
  assert.deepEqual(await read('q\tp\tn\nq2\tp2\n', 'triples.tsv'), [
    { query: 'q', pos: ['p'], neg: ['n'] },
    { query: 'q2', pos: ['p2'], neg: [] },
  ]);
  await assert.rejects(read('alone\n', 'triples.tsv'), /triples\.tsv:1: expected query, positive/);
});

test('parquet files that pyarrow wrote: nulls, structs, 64-bit integers, three compressions', async () => {
  assert.deepEqual(await pairsIn(golden('pairs-tuples.parquet')), [
    { query: 'q one', pos: ['p one'], neg: ['n one', 'n three'] },
    { query: 'q two', pos: ['p two \u00e9'], neg: ['n two'] },
  ]);
  const passages = await pairsIn(golden('pairs-passages.parquet'));
  assert.equal(passages.length, 3);
  assert.deepEqual(passages[2], {
    query_id: '2',
    query: 'query 2',
    pos: ['Title body'],
    pos_ids: ['p2'],
    neg: ['negative 0', 'negative 1'],
    neg_ids: ['n2-0', 'n2-1'],
  });
  assert.deepEqual(await pairsIn(golden('pairs-mined.parquet')), [
    { ...mined, query_id: 'a', query: 'query a' },
  ]);
});

test('every problem is reported with its line, and no pair is then trusted', async () => {
  const text = lines(
    mined,
    { query: '', pos: ['p'] },
    { query: 'q', pos: [] },
    { query: 'q', pos: ['p'], neg: ['n', ' '] },
    { ...mined, neg_scores: [1] },
    { query: 'q', pos: ['p'], neg: [3] },
    { question: 'q', answer: 'a' },
    { positive: 'p' },
    { query: 'q', pos: ['p'], neg: ['n'], neg_scores: ['NaN'] },
  );
  const error = await read(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof InputError);
  const places = error.problems.map(({ where }) => where.slice(where.lastIndexOf(':') + 1));
  assert.deepEqual(places, ['2', '3', '4', '5', '6', '7', '8', '9']);
  assert.match(error.message, /:4: neg\.1: is empty/);
  assert.match(error.message, /:5: 'neg_scores' has 1 entries beside 2 in 'neg'/);
  assert.match(error.message, /:7: no training pair.*found 'question', 'answer'/);
});

test('files that are none are refused', async () => {
  await assert.rejects(read(''), /holds no pairs/);
  await assert.rejects(read('PAR1 nonsense PAR1', 'x.parquet'), /x\.parquet: not a readable parquet file/);
  await assert.rejects(pairsIn(join(root, 'absent.parquet')), /absent\.parquet: no such file/);
});
