import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../base/index.ts';
import { CodeFinder, PairCounter, RARE } from './codes.ts';
import { Collector } from './collector.ts';
import { StringPacker, StringTable } from './intern.ts';
import { ItemSorter } from './radix.ts';
import { find, packedOrder, unpack } from './strings.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 9 }),
);

test('packed strings: order by bytes, look-up', () => {
  fc.assert(
    fc.property(fc.array(anyText), anyText, (texts, other) => {
      const packer = new StringPacker();
      for (const text of texts) packer.push(text);
      const packed = packer.packed();
      for (const [i, text] of texts.entries()) assert.equal(unpack(packed, i), text);
      const sorted = [...packedOrder(packed)].map(i => texts[i]!);
      const expected = [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      assert.deepEqual(sorted, expected);
      const inOrder = new StringPacker();
      for (const text of new Set(expected)) inOrder.push(text);
      const unique = [...new Set(expected)];
      for (const text of [...texts, other]) assert.equal(find(inOrder.packed(), text), unique.indexOf(text));
    }),
  );
});

test('many packed strings come in the order of their bytes, however long the prefixes they share', () => {
  const rng = Rng.from(17, 'packed strings');
  const letters = ['a', 'b', '\0', 'é', '語', '\u{1f600}'];
  const word = (longest: number) =>
    Array.from({ length: rng.int(longest + 1) }, () => letters[rng.int(letters.length)]).join('');
  const beginnings = ['', 'prefix', word(40)];
  for (const count of [33, 300, 600, 20_000]) {
    const texts = Array.from({ length: count }, () => beginnings[rng.int(beginnings.length)]! + word(6));
    const packer = new StringPacker();
    for (const text of texts) packer.push(text);
    const order = packedOrder(packer.packed());
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      [...texts.keys()],
    );
    const bytes = texts.map(text => Buffer.from(text));
    for (let i = 1; i < count; i++)
      assert.ok(Buffer.compare(bytes[order[i - 1]!]!, bytes[order[i]!]!) <= 0, `${count}: ${i}`);
  }
});

test('a string table numbers ranges of texts in order of arrival, through growth', () => {
  const words = Array.from({ length: 20_000 }, (_, i) => `w${(i * i) % 9973}`);
  const table = new StringTable();
  const numbers = new Map<string, number>();
  for (const word of words) {
    if (!numbers.has(word)) numbers.set(word, numbers.size);
    assert.equal(table.intern(`<<${word}>>`, 2, 2 + word.length), numbers.get(word));
  }
  assert.equal(table.size, numbers.size);
  for (const [word, number] of numbers) assert.equal(table.at(number), word);
});

test('strings of any length and script are told apart: those that fit a slot, those that do not, and those that look alike in it', () => {
  const string = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', '\0', 'é', '\u0161', '\u0100', '語'), maxLength: 10 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
  );
  fc.assert(
    fc.property(fc.array(string, { maxLength: 60 }), strings => {
      const table = new StringTable();
      const numbers = new Map<string, number>();
      for (const text of [...strings, ...strings]) {
        if (!numbers.has(text)) numbers.set(text, numbers.size);
        assert.equal(table.intern(`x${text}y`, 1, 1 + text.length), numbers.get(text));
      }
      for (const [text, number] of numbers) assert.equal(table.at(number), text);
    }),
  );
});

/** Scores as search makes them: multiples of 2^-24, with many ties. */
const anyScore = fc.oneof(
  fc.integer({ min: 1, max: 5 }),
  fc.integer({ min: 1, max: 2 ** 30 }).map(n => n / 2 ** 24),
);

/** More documents than any test offers, each with a rank of its own, in no order. */
const rankOf = Uint32Array.from({ length: 20_000 }, (_, document) => (document * 7919) % 20_011);

/** With a head start, the collector is told the k-th best score. */
function collect(collector: Collector, k: number, scores: readonly number[], headStart = false) {
  const least = headStart ? ([...scores].sort((a, b) => b - a)[k - 1] ?? 0) : 0;
  collector.begin(k, Math.max(0, ...scores), least);
  scores.forEach((score, document) => {
    if (score >= collector.threshold) collector.push(score, document);
  });
  const { scores: best, documents } = collector.finish();
  return [...best].map((score, i) => [score, documents[i]]);
}

function expectedBest(k: number, scores: readonly number[]) {
  const all = scores.map((score, document) => [score, document] as const);
  return all
    .sort((a, b) => b[0] - a[0] || rankOf[b[1]]! - rankOf[a[1]]!)
    .slice(0, k)
    .map(pair => [...pair]);
}

test('the collector keeps the k best, ties by rank; one collector serves many rankings', () => {
  const collector = new Collector(rankOf);
  const k = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(fc.array(anyScore, { maxLength: 300 }), k, fc.boolean(), (scores, k, headStart) => {
      assert.deepEqual(collect(collector, k, scores, headStart), expectedBest(k, scores));
    }),
  );
});

test('the collector when its buffer overflows: rising, falling, equal, and widely spread scores', () => {
  const count = 20_000;
  const shapes = [
    (i: number) => i / 1024,
    (i: number) => (count - i) / 1024,
    () => 3,
    (i: number) => 2 ** (i % 40),
    (i: number) => ((i * 7919) % count) / 2 ** 20 + 5,
  ];
  for (const shape of shapes)
    for (const k of [1, 10, 1000]) {
      const scores = Array.from({ length: count }, (_, i) => shape(i));
      assert.deepEqual(collect(new Collector(rankOf), k, scores), expectedBest(k, scores));
    }
});

test('items are sorted by key, equal keys by rank: short runs and long, keys of all sizes', () => {
  const sorter = new ItemSorter();
  const key = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 400 }), keys => {
      sorter.reserve(keys.length);
      sorter.keys.set(keys);
      sorter.items.set([...keys.keys()]);
      sorter.sort(keys.length, rankOf);
      const expected = [...keys.keys()].sort((a, b) => keys[a]! - keys[b]! || rankOf[a]! - rankOf[b]!);
      assert.deepEqual([...sorter.items.subarray(0, keys.length)], expected);
      assert.deepEqual(
        [...sorter.keys.subarray(0, keys.length)],
        expected.map(i => keys[i]),
      );
    }),
  );
});

test('pair codes: all pairs if they fit, else the most frequent', () => {
  const counter = new PairCounter();
  const pairs = [
    [1, 10],
    [1, 10],
    [1, 10],
    [2, 10],
    [2, 10],
    [300, 10],
    [1, 50_000],
    [1, 50_000],
    [16, 4095],
    [15, 4096],
  ] as const;
  for (const [tf, length] of pairs) counter.count(tf, length);
  const all = counter.codebook();
  assert.deepEqual([...all.tfs], [1, 1, 2, 15, 16, 300]);
  assert.deepEqual([...all.lengths], [10, 50_000, 10, 4096, 4095, 10]);
  const finder = new CodeFinder(all);
  for (const [code, tf] of all.tfs.entries()) assert.equal(finder.of(tf, all.lengths[code]!), code);
  for (const [tf, length] of [
    [1, 11],
    [3, 10],
    [300, 11],
    [16, 4096],
  ] as const)
    assert.equal(finder.of(tf, length), RARE);
  const few = counter.codebook(3);
  assert.deepEqual([...few.tfs], [1, 1, 2]);
  assert.equal(new CodeFinder(few).of(300, 10), RARE);
  assert.equal(counter.codebook(0).tfs.length, 0);
});
