import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentProgress } from '../base/index.ts';
import { collect } from './analysis.ts';
import type { DocumentBatch } from './bags.ts';
import { Gauge } from './gauge.ts';
import { type Crew, type Tasks, worker } from './indexing.ts';
import { BagSpool } from './spool.ts';

/** One thread that does what waits in the reverse of the order in which it was asked. */
function contraryCrew(): Crew {
  const perform = worker({ analyzer: 'plain', gauge: new Gauge().cells });
  const waiting: (() => void)[] = [];
  return {
    size: 3,
    run: <K extends keyof Tasks>(kind: K, task: Tasks[K]['takes']) =>
      new Promise<Tasks[K]['gives']>((resolve, reject) => {
        waiting.unshift(() => void perform({ kind, task }).then(resolve, reject));
        setImmediate(() => {
          for (const job of waiting.splice(0)) job();
        });
      }),
    close: async () => undefined,
  };
}

test('a thread may analyze the pieces of a collection in any order', async () => {
  const batches: DocumentBatch[] = Array.from({ length: 40 }, (_, i) => ({
    ids: [`a${i}`, `b${i}`],
    texts: [`word${i} common`, `other${i} word${i + 1} common`],
  }));
  const spool = new BagSpool({ memoryBytes: Number.POSITIVE_INFINITY });
  const options = { progress: silentProgress, signal: undefined };
  const { terms, ids } = await collect(batches, spool, contraryCrew(), options);
  assert.equal(ids.ends.length, 80);
  const names = [...terms.terms.ends].map((end, i) =>
    Buffer.from(terms.terms.bytes.subarray(i === 0 ? 0 : terms.terms.ends[i - 1]!, end)).toString(),
  );
  const documents: string[][] = [];
  for (const { pieces } of spool.ranges(1))
    for (const piece of pieces) {
      assert.ok('bags' in piece);
      const { counts, terms: numbers, thread } = piece.bags;
      const numberOf = terms.numbers.get(thread)!;
      let at = 0;
      for (const count of counts) {
        const own = [...numbers.subarray(at, at + count)];
        documents.push(own.map(term => names[numberOf[term]!]!));
        at += count;
      }
    }
  const expected = batches.flatMap(({ texts }) => texts.map(text => text.split(' ')));
  assert.deepEqual(documents, expected);
  for (const [i, name] of names.entries())
    assert.equal(terms.df[i], expected.filter(text => text.includes(name)).length, name);
});
