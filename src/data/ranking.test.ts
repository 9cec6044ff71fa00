import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteOrder, compareHits, compareIds, IdTable, sortRanking } from './index.ts';

/** Characters around the places where UTF-16 order and byte order part: surrogate pairs against U+E000 and above. */
const awkward = fc.string({
  unit: fc.constantFrom('a', 'b', '\u00e9', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f600}', ' '),
  maxLength: 5,
});

test('ids compare as their bytes do', () => {
  fc.assert(
    fc.property(awkward, awkward, (a, b) => {
      assert.equal(Math.sign(compareIds(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 2000 },
  );
});

test('byte order is a permutation in the order of the bytes, with and without characters beyond the first plane', () => {
  for (const unit of [awkward, fc.string({ maxLength: 5 })]) {
    fc.assert(
      fc.property(fc.uniqueArray(unit, { maxLength: 40 }), ids => {
        const { rankOf, indexAt } = byteOrder(ids);
        const sorted = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        assert.deepEqual(
          Array.from(indexAt, i => ids[i]),
          sorted,
        );
        for (let i = 0; i < ids.length; i++) assert.equal(indexAt[rankOf[i]!], i);
      }),
    );
  }
});

test('the ranking order is score descending, then id descending', () => {
  const hits = [
    { id: 'a', score: 1 },
    { id: 'b', score: 2 },
    { id: 'c', score: 1 },
    { id: '\u{10000}', score: 1 },
    { id: '\uffff', score: 1 },
  ];
  assert.deepEqual(
    hits.sort(compareHits).map(hit => hit.id),
    ['b', '\u{10000}', '\uffff', 'c', 'a'],
  );
});

test('sortRanking agrees with sorting by the comparator', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 70 }), values => {
      const scores = Float64Array.from(values);
      const rows = Uint32Array.from(values, (_, i) => i);
      sortRanking(rows, scores, (a, b) => b - a);
      const expected = values.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || b - a);
      assert.deepEqual([...rows], expected);
    }),
  );
});

test('a table of ids numbers them like a map does', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(awkward, fc.string({ maxLength: 3 }), fc.nat(5000).map(String))), ids => {
      const table = new IdTable();
      const map = new Map<string, number>();
      for (const id of ids) {
        if (!map.has(id)) map.set(id, map.size);
        assert.equal(table.add(id), map.get(id));
      }
      assert.equal(table.size, map.size);
      for (const [id, index] of map) {
        assert.equal(table.find(id), index);
        assert.equal(table.at(index), id);
      }
      assert.equal(table.has('never added \u00e9'), false);
    }),
  );
});

test('a table of ids grows through many doublings', () => {
  const table = new IdTable();
  const id = (i: number) => `doc-${(i * 7919) % 100_003}-${'x'.repeat(i % 300)}`;
  for (let i = 0; i < 100_003; i++) assert.equal(table.add(id(i)), i);
  for (let i = 0; i < 100_003; i += 97) {
    assert.equal(table.find(id(i)), i);
    assert.equal(table.at(i), id(i));
  }
});
