import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../base/index.ts';
import { type Qrels, RunBuilder } from '../data/index.ts';
import {
  evaluate,
  expectedScore,
  type MeasureKind,
  measure,
  parseMeasures,
  type RankedGrades,
  scoreRanking,
  tieGroups,
} from './index.ts';

test('every dialect names the same measures', () => {
  const spellings: Readonly<Record<string, readonly string[]>> = {
    'nDCG@10': ['nDCG@10', 'ndcg_cut_10', 'ndcg_cut.10', 'ndcg_at_10', 'NDCG@10', 'ndcg@10', 'ndcg_10'],
    nDCG: ['ndcg', 'nDCG'],
    'R@100': ['R@100', 'recall_100', 'recall_at_100', 'Recall@100', 'recall.100'],
    AP: ['map', 'MAP', 'AP'],
    'AP@100': ['map_cut_100', 'MAP@100', 'map_at_100', 'AP@100'],
    RR: ['recip_rank', 'RR', 'MRR'],
    'RR@10': ['MRR@10', 'mrr_at_10', 'RR@10'],
    'P@5': ['P_5', 'P@5', 'p.5', 'precision_at_5', 'Precision@5'],
    'Success@1': ['success_1', 'Success@1', 'hit_rate_at_1', 'accuracy@1'],
    'Judged@10': ['Judged@10', 'judged_10'],
  };
  for (const [name, dialects] of Object.entries(spellings)) {
    assert.deepEqual(
      dialects.flatMap(text => parseMeasures([text]).map(found => found.name)),
      dialects.map(() => name),
    );
    assert.equal(parseMeasures(dialects).length, 1, 'one measure however often it is named');
  }
});

test('unknown measures are all reported at once, with a suggestion', () => {
  const bad = ['nDGC@10', 'recal_100', 'P', 'R@0', 'Rprec', 'nauc_ndcg_at_10_max'];
  assert.throws(
    () => parseMeasures(['nDCG@10', ...bad]),
    (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.equal(error.problems.length, bad.length);
      assert.match(error.message, /'nDGC@10': unknown; did you mean nDCG@10\?/);
      assert.match(error.message, /'recal_100': unknown; did you mean R@100\?/);
      assert.match(error.message, /'P': needs a cut-off, as in P@10/);
      assert.match(error.message, /'R@0': the cut-off must be at least 1/);
      return true;
    },
  );
});

const log2 = Math.log2;

const UNJUDGED = Number.NEGATIVE_INFINITY;

/** Grades of the retrieved documents in ranked order, and those above 0 that were not retrieved. */
function ranked(grades: readonly number[], unseen: readonly number[] = []): RankedGrades {
  const places = grades.flatMap((grade, place) => (grade === UNJUDGED ? [] : [place]));
  return {
    retrieved: grades.length,
    places: Int32Array.from(places),
    grades: Int32Array.from(places, place => grades[place]!),
    ideal: Int32Array.from([...grades.filter(grade => grade > 0), ...unseen]).sort((a, b) => b - a),
  };
}

test('measures worked out by hand', () => {
  // Ranked grades 0, 2, unjudged, 1, -1; a further document with grade 3 was not retrieved.
  const example = ranked([0, 2, UNJUDGED, 1, -1], [3]);
  const ideal = 3 / log2(2) + 2 / log2(3) + 1 / log2(4);
  const expected: Readonly<Record<string, number>> = {
    nDCG: (2 / log2(3) + 1 / log2(5)) / ideal,
    'nDCG@2': 2 / log2(3) / (3 / log2(2) + 2 / log2(3)),
    'R@3': 1 / 3,
    'R@10': 2 / 3,
    'P@2': 1 / 2,
    'P@10': 2 / 10,
    AP: (1 / 2 + 2 / 4) / 3,
    'AP@3': 1 / 2 / 3,
    RR: 1 / 2,
    'RR@1': 0,
    'Judged@3': 2 / 3,
    'Judged@10': 4 / 5,
    'Success@1': 0,
    'Success@2': 1,
  };
  for (const [name, value] of Object.entries(expected)) {
    const [parsed] = parseMeasures([name]);
    assert.ok(Math.abs(scoreRanking(parsed!, example) - value) < 1e-15, name);
  }
});

test('a query without relevant documents, or without results, scores 0', () => {
  for (const empty of [ranked([0, -1, UNJUDGED]), ranked([], [1])]) {
    for (const found of parseMeasures(['nDCG', 'nDCG@10', 'R@10', 'AP', 'RR', 'P@5', 'Success@5']))
      assert.equal(scoreRanking(found, empty), 0, found.name);
  }
});

/** All orderings of a ranking that keep scores descending. */
function* orderings(grades: readonly number[], scores: readonly number[], from = 0): Generator<number[]> {
  if (from >= grades.length) {
    yield [...grades];
    return;
  }
  for (let i = from; i < grades.length && scores[i] === scores[from]; i++) {
    const swapped = [...grades];
    [swapped[from], swapped[i]] = [swapped[i]!, swapped[from]!];
    yield* orderings(swapped, scores, from + 1);
  }
}

test('the expected value over ties is the mean over all orderings', () => {
  const kinds: readonly MeasureKind[] = ['nDCG', 'R', 'AP', 'RR', 'P', 'Judged', 'Success'];
  const rankings = fc.array(
    fc.record({
      grade: fc.constantFrom(UNJUDGED, -1, 0, 0, 1, 1, 2, 3),
      score: fc.integer({ min: 0, max: 2 }),
    }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(
      rankings,
      fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
      fc.integer({ min: 1, max: 8 }),
      (hits, unseen, k) => {
        hits.sort((a, b) => b.score - a.score);
        const scores = hits.map(({ score }) => score);
        const grades = hits.map(({ grade }) => grade);
        const all = [...orderings(grades, scores)].map(order => ranked(order, unseen));
        const groups = tieGroups(all[0]!, Float64Array.from(scores));
        for (const kind of kinds) {
          const wanted = measure(kind, k);
          const brute = all.reduce((sum, one) => sum + scoreRanking(wanted, one), 0) / all.length;
          const closed = expectedScore(wanted, all[0]!, groups);
          assert.ok(Math.abs(closed - brute) < 1e-12, `${wanted.name}: ${closed} ${brute}`);
        }
      },
    ),
    { numRuns: 300 },
  );
});

function runOf(rankings: Readonly<Record<string, readonly (readonly [string, number])[]>>) {
  const builder = new RunBuilder('run');
  for (const [query, hits] of Object.entries(rankings))
    builder.addRanking(
      query,
      hits.map(([id]) => id),
      hits.map(([, score]) => score),
    );
  return builder.build();
}

const qrels: Qrels = new Map([
  ['a', new Map([['x', 1]])],
  ['b', new Map([['x', 1]])],
]);

test('a run of constant scores has its expected value and tie rate shown', () => {
  const run = runOf({
    a: [
      ['x', 1],
      ['y', 1],
      ['z', 1],
    ],
    b: [
      ['x', 3],
      ['y', 2],
      ['z', 2],
      ['w', 1],
    ],
    unjudged: [['x', 1]],
  });
  const result = evaluate(qrels, run, parseMeasures(['RR']), { ties: true });
  assert.deepEqual([...result.values[0]!], [1 / 3, 1]);
  assert.ok(Math.abs(result.expected![0]![0]! - (1 + 1 / 2 + 1 / 3) / 3) < 1e-15);
  assert.equal(result.expected![0]![1], 1);
  assert.deepEqual([...result.tieRates], [1, 1 / 2]);
  assert.deepEqual(result.unjudged, ['unjudged']);
});

test('self-hits stay unless they are to be removed', () => {
  const run = runOf({
    a: [
      ['a', 2],
      ['x', 1],
    ],
    b: [['x', 1]],
  });
  const measures = parseMeasures(['RR']);
  assert.deepEqual([...evaluate(qrels, run, measures).values[0]!], [1 / 2, 1]);
  const removed = evaluate(qrels, run, measures, { removeSelf: true });
  assert.deepEqual([...removed.values[0]!], [1, 1]);
  assert.equal(removed.removed, 1);
});

test('a run of other queries is refused', () => {
  assert.throws(
    () => evaluate(qrels, runOf({ q: [['x', 1]] }), parseMeasures(['AP'])),
    /none of its 1 queries/,
  );
});
