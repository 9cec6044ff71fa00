import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError, Rng } from '../base/index.ts';
import { compareIds } from '../data/index.ts';
import { searchBatch } from './batch.ts';
import { buildIndex } from './build.ts';
import { prepare } from './prepare.ts';
import {
  absentPart,
  type Bm25Parameters,
  DEFAULT_PARAMETERS,
  idf,
  luceneLength,
  presentPart,
  toGrid,
  VARIANTS,
} from './scoring.ts';
import { Searcher } from './search.ts';

/** A document as the words it is made of; no analyzer but `plain` sees them, and that leaves them alone. */
interface Doc {
  readonly id: string;
  readonly words: readonly string[];
}

async function indexOf(docs: readonly Doc[], codes = 0xffff) {
  const batch = { ids: docs.map(doc => doc.id), texts: docs.map(doc => doc.words.join(' ')) };
  return buildIndex([batch], { analyzer: 'plain', codes });
}

async function searcherOf(
  docs: readonly Doc[],
  parameters: Bm25Parameters,
  codes?: number,
): Promise<Searcher> {
  return new Searcher(prepare(await indexOf(docs, codes), parameters));
}

/** Every document scored, by the definition. */
function bruteForce(docs: readonly Doc[], parameters: Bm25Parameters, query: readonly string[], k: number) {
  const df = new Map<string, number>();
  for (const { words } of docs) for (const word of new Set(words)) df.set(word, (df.get(word) ?? 0) + 1);
  const tokens = docs.reduce((sum, doc) => sum + doc.words.length, 0);
  const known = query.filter(word => df.has(word));
  const weight = (word: string) => idf(parameters.variant, df.get(word)!, docs.length);
  const times = new Map<string, number>();
  for (const word of known) times.set(word, (times.get(word) ?? 0) + 1);
  const sumOver = (partOf: (word: string) => number) =>
    [...times].reduce((sum, [word, n]) => sum + toGrid(n * weight(word) * partOf(word)), 0);
  const floor = sumOver(() => absentPart(parameters));
  const score = ({ words }: Doc) => {
    const seen = parameters.lengths === 'lucene' ? luceneLength(words.length) : words.length;
    const present = sumOver(word => {
      const tf = words.filter(other => other === word).length;
      return tf === 0 ? 0 : presentPart(parameters, tf, (seen * docs.length) / tokens);
    });
    return floor + present;
  };
  return docs
    .map(doc => ({ id: doc.id, score: score(doc) }))
    .filter(hit => hit.score > floor)
    .sort((a, b) => b.score - a.score || compareIds(b.id, a.id))
    .slice(0, k);
}

function found(searcher: Searcher, docs: readonly Doc[], query: readonly string[], k: number) {
  const { documents, scores } = searcher.search(query.join(' '), k);
  return [...documents].map((document, i) => ({ id: docs[document]!.id, score: scores[i] }));
}

const word = fc.integer({ min: 0, max: 11 }).map(n => `w${n}`);
const anyParameters = fc.record({
  variant: fc.constantFrom(...VARIANTS),
  k1: fc.constantFrom(0, 0.9, 1.2, 2.5),
  b: fc.constantFrom(0, 0.4, 0.75, 1),
  delta: fc.constantFrom(0, 0.5, 1),
  lengths: fc.constantFrom('exact' as const, 'lucene' as const),
});
const anyDocs = fc
  .uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 60 })
  .chain(ids =>
    fc.tuple(...ids.map(id => fc.record({ id: fc.constant(id), words: fc.array(word, { maxLength: 70 }) }))),
  )
  .filter(docs => docs.some(doc => doc.words.length > 0));

test('search returns what scoring every document returns: all variants, ties, repeated query terms, few pair codes', async () => {
  const codes = fc.constantFrom(0xffff, 0, 7);
  await fc.assert(
    fc.asyncProperty(
      anyDocs,
      anyParameters,
      fc.array(word, { maxLength: 8 }),
      codes,
      async (docs, parameters, query, limit) => {
        const searcher = await searcherOf(docs, parameters, limit);
        for (const k of [1, 3, 100])
          assert.deepEqual(found(searcher, docs, query, k), bruteForce(docs, parameters, query, k));
      },
    ),
    { numRuns: 300 },
  );
});

test('a document left out makes room for the next, and documents can be scored whether they are found or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyDocs,
      anyParameters,
      fc.array(word, { maxLength: 8 }),
      fc.nat(),
      async (docs, parameters, query, n) => {
        const searcher = await searcherOf(docs, parameters);
        const without = n % docs.length;
        const all = searcher.search(query.join(' '), docs.length, { also: [...docs.keys()] });
        const scoreOf = new Map([...all.documents].map((document, i) => [document, all.scores[i]!]));
        const floor = Math.min(...all.also);
        for (const document of docs.keys()) assert.equal(all.also[document], scoreOf.get(document) ?? floor);
        const some = searcher.search(query.join(' '), 3, { without });
        assert.deepEqual(
          [...some.documents],
          [...all.documents].filter(document => document !== without).slice(0, 3),
        );
      },
    ),
  );
});

test('batches come in the order of their queries, whatever the number of threads', async () => {
  const docs = manyDocs(3000);
  const { prepared } = await searcherOf(docs, DEFAULT_PARAMETERS);
  const queries = Array.from({ length: 300 }, (_, i) => ({
    text: `z${i} z${(7 * i) % 50}`,
    without: i,
    also: [i],
  }));
  const collect = async (threads: number) => {
    const answers = [];
    for await (const answer of searchBatch(prepared, queries, 5, { threads })) answers.push(answer);
    return answers;
  };
  const one = await collect(1);
  assert.deepEqual(
    one.map(({ query }) => query),
    [...queries.keys()],
  );
  assert.deepEqual(await collect(3), one);
  assert.ok(one.every(({ documents, query }) => !documents.includes(query)));
});

test('an aborted batch stops', async () => {
  const { prepared } = await searcherOf(manyDocs(100), DEFAULT_PARAMETERS);
  for (const threads of [1, 2]) {
    const batch = searchBatch(prepared, [{ text: 'z1' }], 5, { threads, signal: AbortSignal.abort() });
    await assert.rejects(batch.next(), { name: 'AbortError' });
  }
});

test('k must be a whole number from 1 on', async () => {
  const { prepared } = await searcherOf(manyDocs(100), DEFAULT_PARAMETERS);
  for (const k of [0, -1, 1.5, Number.NaN])
    await assert.rejects(searchBatch(prepared, [{ text: 'z1' }], k).next(), InputError);
});

test('a k beyond all documents finds every document that has a term of the query', async () => {
  const docs = manyDocs(100);
  const searcher = await searcherOf(docs, DEFAULT_PARAMETERS);
  assert.deepEqual(
    found(searcher, docs, ['z1', 'z2'], Number.MAX_SAFE_INTEGER),
    bruteForce(docs, DEFAULT_PARAMETERS, ['z1', 'z2'], docs.length),
  );
});

/** Documents of a few words of a Zipf law, over several windows. */
function manyDocs(count: number): Doc[] {
  const rng = Rng.from(17, 'many');
  const zipf = () => `z${Math.floor(Math.exp(rng.uniform() * Math.log(3000)))}`;
  return Array.from({ length: count }, (_, i) => ({
    id: `d${(i * 7919) % count}`,
    words: Array.from({ length: 1 + rng.int(5) }, zipf),
  }));
}

test('search over several windows: frequent, rare and middling terms, small and large k', async () => {
  const docs = manyDocs(140_000);
  const index = await indexOf(docs);
  for (const variant of ['lucene', 'bm25l'] as const) {
    const parameters = { ...DEFAULT_PARAMETERS, variant };
    const searcher = new Searcher(prepare(index, parameters));
    for (const query of [
      ['z1', 'z2', 'z900'],
      ['z3', 'z40', 'z500', 'z2500', 'z2'],
      ['z1'],
      ['z7', 'z2900'],
    ]) {
      const expected = bruteForce(docs, parameters, query, 1000);
      assert.deepEqual(found(searcher, docs, query, 1000), expected, `${variant} ${query}`);
      assert.deepEqual(found(searcher, docs, query, 10), expected.slice(0, 10), `${variant} ${query}`);
    }
  }
});
