import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { InputError } from '../base/index.ts';
import { type Anchor, type Collection, EMPTY_TEXT, REASONS, selectNegatives } from './select.ts';
import { checkSettings, DEFAULT_SETTINGS, type MiningSettings } from './settings.ts';
import { textKey } from './texts.ts';

/** A collection whose document n has the text key `keys[n]`. */
const collectionOf = (keys: readonly number[]): Collection => ({
  count: keys.length,
  textKey: document => keys[document]!,
});

const anchor: Anchor = { id: 'q', relevant: [0], positiveScores: [10] };
const settings = (changes: Partial<MiningSettings>): MiningSettings => ({ ...DEFAULT_SETTINGS, ...changes });

/** Ten documents with texts of their own, ranked in the order of their numbers with scores 12, 11, 10, ... */
const ten = collectionOf([...Array(10).keys()]);
const ranking = { documents: [...Array(10).keys()], scores: [...Array(10).keys()].map(i => 12 - i) };
const documentsOf = (selection: ReturnType<typeof selectNegatives>) =>
  selection.negatives.map(({ document }) => document);

test('the best-ranked candidates that are not relevant, with rank and score', () => {
  const { negatives, skipped, seen, short } = selectNegatives(
    anchor,
    ranking,
    ten,
    settings({ negatives: 2 }),
  );
  assert.deepEqual(negatives, [
    { document: 1, score: 11, rank: 2 },
    { document: 2, score: 10, rank: 3 },
  ]);
  assert.equal(skipped.relevant, 1);
  assert.equal(seen, 10);
  assert.equal(short, false);
});

test('ranks, score limits and margins', () => {
  const chosen = (changes: Partial<MiningSettings>) =>
    documentsOf(selectNegatives(anchor, ranking, ten, settings({ negatives: 3, short: 'keep', ...changes })));
  assert.deepEqual(chosen({ ranks: { from: 4, to: 100 } }), [3, 4, 5]);
  assert.deepEqual(chosen({ ranks: { from: 9, to: 11 } }), [8, 9]);
  assert.deepEqual(chosen({ maxScore: 9 }), [3, 4, 5]);
  assert.deepEqual(chosen({ minScore: 10.5 }), [1]);
  assert.deepEqual(chosen({ absoluteMargin: 3 }), [5, 6, 7]); // at most 10 - 3
  assert.deepEqual(chosen({ relativeMargin: 0.2 }), [4, 5, 6]); // at most 8
  assert.deepEqual(chosen({ absoluteMargin: 0 }), [2, 3, 4]);
});

test('margins are counted from the lowest positive; one that the ranking does not reach lets no candidate pass', () => {
  const with_ = (positiveScores: (number | null)[], changes: Partial<MiningSettings>) =>
    documentsOf(
      selectNegatives(
        { ...anchor, positiveScores },
        ranking,
        ten,
        settings({ negatives: 3, short: 'keep', ...changes }),
      ),
    );
  assert.deepEqual(with_([10, 6], { absoluteMargin: 1 }), [7, 8, 9]);
  assert.deepEqual(with_([10, null], { absoluteMargin: 0 }), []);
  assert.deepEqual(with_([null], { relativeMargin: 0 }), []);
  assert.deepEqual(with_([null], {}), [1, 2, 3]);
});

test('duplicates: of a relevant text, of a better-ranked candidate; documents without text', () => {
  const collection = collectionOf([5, 5, 6, EMPTY_TEXT, 6, 7, 8, 9, 10, 11]);
  const selection = selectNegatives(anchor, ranking, collection, settings({ negatives: 3 }));
  assert.deepEqual(documentsOf(selection), [2, 5, 6]);
  const { relevant, duplicateOfRelevant, empty, duplicate } = selection.skipped;
  assert.deepEqual([relevant, duplicateOfRelevant, empty, duplicate], [1, 1, 1, 1]);
});

test('a random choice is by rank, depends on seed and query alone, and reaches every eligible candidate', () => {
  const random = settings({ negatives: 3, sampling: 'random' });
  const reached = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const query = { ...anchor, id: `q${i}` };
    const chosen = documentsOf(selectNegatives(query, ranking, ten, random));
    assert.deepEqual(chosen, documentsOf(selectNegatives(query, ranking, ten, random)));
    assert.deepEqual(
      chosen,
      [...chosen].sort((a, b) => a - b),
    );
    for (const document of chosen) reached.add(document);
  }
  assert.deepEqual(
    [...reached].sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  const other = settings({ negatives: 3, sampling: 'random', seed: 18 });
  const differ = Array.from({ length: 20 }, (_, i) => ({ ...anchor, id: `q${i}` })).filter(
    query =>
      String(documentsOf(selectNegatives(query, ranking, ten, random))) !==
      String(documentsOf(selectNegatives(query, ranking, ten, other))),
  );
  assert.ok(differ.length > 5);
});

test('padding brings in documents outside the ranking, each text once, and stops where the collection ends', () => {
  const keys = [...Array(30).keys()];
  keys[20] = 0; // the text of the relevant document
  keys[21] = 3; // of a ranked one
  keys[22] = keys[23]!;
  keys[24] = EMPTY_TEXT;
  const short = settings({ negatives: 15, ranks: { from: 3, to: 100 } });
  const { negatives, short: isShort } = selectNegatives(anchor, ranking, collectionOf(keys), short);
  assert.equal(isShort, true);
  assert.deepEqual(
    negatives.slice(0, 8).map(({ rank }) => rank),
    [3, 4, 5, 6, 7, 8, 9, 10],
  );
  const padded = negatives.slice(8);
  assert.equal(padded.length, 7);
  for (const { document, rank, score } of padded) {
    assert.ok(document >= 10 && ![20, 21, 24].includes(document));
    assert.deepEqual([rank, score], [null, null]);
  }
  const all = selectNegatives(anchor, ranking, collectionOf(keys), settings({ negatives: 50 })).negatives;
  const ascending = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
  assert.deepEqual(
    ascending(all.map(({ document }) => keys[document]!)),
    ascending([...new Set(keys)].filter(key => key > 0)),
  );
});

test('whatever the ranking and the settings, negatives are eligible', () => {
  const score = fc.double({ min: 0, max: 20, noNaN: true });
  const limit = fc.option(score, { nil: undefined });
  const anySettings = fc.record({
    negatives: fc.integer({ min: 1, max: 8 }),
    ranks: fc
      .tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 8, max: 30 }))
      .map(([from, n]) => ({ from, to: from + n })),
    sampling: fc.constantFrom('top' as const, 'random' as const),
    short: fc.constantFrom('pad-random' as const, 'keep' as const, 'drop' as const),
    absoluteMargin: limit,
    maxScore: limit,
    seed: fc.nat(),
  });
  const keys = fc.array(fc.integer({ min: EMPTY_TEXT, max: 15 }), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(
      keys,
      anySettings,
      fc.array(score, { maxLength: 50 }),
      fc.nat({ max: 19 }),
      (texts, given, scores, positive) => {
        const documents = [...texts.keys()].slice(0, scores.length);
        const candidates = { documents, scores: scores.slice(0, documents.length).sort((a, b) => b - a) };
        const query = { id: 'q', relevant: [positive], positiveScores: [7] };
        const selection = selectNegatives(query, candidates, collectionOf(texts), given);
        const chosen = selection.negatives.map(({ document }) => texts[document]!);
        assert.equal(new Set(chosen).size, chosen.length);
        assert.ok(!chosen.includes(EMPTY_TEXT) && !chosen.includes(texts[positive]!));
        assert.ok(chosen.length <= given.negatives);
        for (const { document, rank, score: s } of selection.negatives) {
          if (rank === null) continue;
          assert.ok(rank >= given.ranks.from && rank <= given.ranks.to);
          assert.deepEqual([candidates.documents[rank - 1], candidates.scores[rank - 1]], [document, s]);
          assert.ok(s! <= (given.maxScore ?? 99) && s! <= 7 - (given.absoluteMargin ?? -99));
        }
        const skipped = REASONS.reduce((sum, reason) => sum + selection.skipped[reason], 0);
        const ranked = selection.negatives.filter(({ rank }) => rank !== null).length;
        assert.ok(selection.seen - skipped >= ranked);
        assert.equal(selection.short, selection.seen - skipped < given.negatives);
      },
    ),
  );
});

test('texts are the same without regard to case, white space and compatibility forms', () => {
  assert.equal(textKey('The  Cat\n sat'), textKey(' the cat SAT'));
  assert.equal(textKey('ﬁne'), textKey('fine'));
  assert.notEqual(textKey('the cat'), textKey('the cats'));
  assert.equal(textKey(' \n'), EMPTY_TEXT);
});

test('settings out of range are refused, all at once', () => {
  checkSettings(DEFAULT_SETTINGS);
  const bad = settings({
    negatives: 0,
    ranks: { from: 5, to: 3 },
    absoluteMargin: -1,
    minScore: 3,
    maxScore: 2,
  });
  assert.throws(
    () => checkSettings(bad),
    (error: InputError) => error.problems.length === 4,
  );
  assert.throws(
    () => checkSettings(settings({ negatives: 20, ranks: { from: 1, to: 10 } })),
    /fewer than the 20/,
  );
});
