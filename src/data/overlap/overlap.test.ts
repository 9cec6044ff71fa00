import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../../base/index.ts';
import type { TextSource } from '../text/source.ts';
import { NgramSet } from './ngrams.ts';
import { measureOverlap, type TestSet } from './overlap.ts';
import { overlapText } from './text.ts';

const corpusOf = (...documents: string[]): TextSource => ({
  name: 'corpus',
  bytes: 1,
  reading: 'test',
  hash: () => Promise.resolve(''),
  async *documents() {
    for (const text of documents) yield { texts: [text], empty: 0 };
  },
});

const setOf = (name: string, texts: Readonly<Record<string, string>>): TestSet => ({
  name,
  async *texts() {
    yield { ids: Object.keys(texts), texts: Object.values(texts) };
  },
});

const PASSAGE = 'One two three four five six seven eight nine ten eleven.';

test('a passage stands in the corpus whatever its case, punctuation and place; a document boundary parts n-grams', async () => {
  const whole = corpusOf(
    'Something else stands here.',
    `before; ONE, two - three\tfour\n"five" six seven eight nine ten eleven after`,
  );
  const sets = [
    setOf('c', {
      a: PASSAGE,
      b: 'None of these words is to be found in that corpus at all',
      short: 'one two three four',
    }),
  ];
  const { sets: found } = await measureOverlap([whole], sets);
  assert.deepEqual(found, [
    { name: 'c', texts: 3, judged: 2, touched: 1, standing: [{ id: 'a', share: 1 }] },
  ]);
  const parted = corpusOf('one two three four five six', 'seven eight nine ten eleven');
  const [apart] = (await measureOverlap([parted], sets)).sets;
  assert.equal(apart!.touched, 0);
});

test('the share decides: three of four 8-grams stand from 70% on, not from 80% on', async () => {
  const corpus = corpusOf('one two three four five six seven eight nine ten twelve');
  const sets = [setOf('c', { a: PASSAGE })];
  const low = await measureOverlap([corpus], sets);
  assert.deepEqual(low.sets[0]!.standing, [{ id: 'a', share: 0.75 }]);
  const high = await measureOverlap([corpus], sets, { share: 0.8 });
  assert.deepEqual(high.sets[0], { name: 'c', texts: 1, judged: 1, touched: 1, standing: [] });
});

test('words of any script count, and accents make a difference', async () => {
  const corpus = corpusOf('ένα δύο τρία 四 пять ше́сть 𝔰𝔢𝔳𝔢𝔫 huit');
  const words = 'ένα δύο τρία 四 пять ше́сть 𝔰𝔢𝔳𝔢𝔫 huit';
  const sets = [setOf('c', { same: words, other: words.replace('ύ', 'υ') })];
  const [found] = (await measureOverlap([corpus], sets)).sets;
  assert.deepEqual(found!.standing, [{ id: 'same', share: 1 }]);
});

/** By the text itself, without hashes. */
function plainNgrams(text: string, n: number): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
  return words.slice(0, Math.max(0, words.length - n + 1)).map((_, i) => words.slice(i, i + n).join(' '));
}

test('counts equal those of a set of strings', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'C', 'é', '- ', '9', 'ab'), { maxLength: 40 })
    .map(parts => parts.join(' '));
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 5 }),
      fc.array(text, { maxLength: 5 }),
      fc.integer({ min: 1, max: 4 }),
      (tests, corpus, n) => {
        const set = new NgramSet(n, 1 << 20);
        for (const one of tests) set.add(one);
        for (const one of corpus) set.meet(one);
        const held = new Set(corpus.flatMap(one => plainNgrams(one, n)));
        for (const one of tests) {
          const own = plainNgrams(one, n);
          assert.deepEqual(set.count(one), {
            looked: own.length,
            met: own.filter(ngram => held.has(ngram)).length,
          });
        }
      },
    ),
  );
});

test('a set that outgrows its memory keeps a fair sample, and the shares stay about right', async () => {
  const rng = Rng.from(5, 'overlap test');
  const text = (words: number) => Array.from({ length: words }, () => `w${rng.int(1e9)}`).join(' ');
  const passages = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`p${i}`, text(207)])); // 80,000 8-grams
  const half = Object.values(passages).slice(0, 200);
  const found = await measureOverlap([corpusOf(...half)], [setOf('c', passages)], { mostNgrams: 10_000 });
  assert.equal(found.sampled, 1 / 16); // 1 in 8 would be 10,000 on average, and this draw is above
  const [set] = found.sets;
  assert.equal(set!.judged, 400);
  assert.equal(set!.standing.length, 200);
  assert.ok(set!.standing.every(({ share }) => share === 1));
  assert.match(overlapText(found), /\(1 in 16 of them looked at\)/);
});

test('an empty corpus is an error', async () => {
  await assert.rejects(measureOverlap([corpusOf()], [setOf('c', { a: PASSAGE })]), /the corpus is empty/);
});
