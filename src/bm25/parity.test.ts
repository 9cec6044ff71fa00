/** Scores of the five variants against bm25s on the same tokens (bench/peers/bm25s_scores.py; bench/bm25Parity.ts does it on real collections). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildIndex } from './build.ts';
import { prepare } from './prepare.ts';
import { type Bm25Parameters, parametersOf, VARIANTS } from './scoring.ts';
import { Searcher } from './search.ts';

interface Golden {
  /** Tokens with blanks between them. */
  readonly documents: readonly string[];
  readonly queries: readonly string[];
  /** `scores[query][document]`. */
  readonly cases: readonly (Pick<Bm25Parameters, 'variant' | 'k1' | 'b' | 'delta'> & {
    readonly scores: readonly (readonly number[])[];
  })[];
}

const golden = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../tests/golden/bm25.golden.json', import.meta.url)), 'utf8'),
) as Golden;

/** Contributions are rounded to 2^-24, a query has at most six terms, and the golden file keeps eight decimals. */
const TOLERANCE = 1e-6;

test('scores of all five variants equal those of bm25s on the same tokens, found or not', async () => {
  const { documents, queries, cases } = golden;
  const ids = documents.map((_, i) => `d${i}`);
  const index = await buildIndex([{ ids, texts: documents }], { analyzer: 'plain' });
  assert.deepEqual(new Set(cases.map(({ variant }) => variant)), new Set(VARIANTS));
  for (const { scores, ...said } of cases) {
    const searcher = new Searcher(prepare(index, parametersOf({ ...said, lengths: 'exact' })));
    queries.forEach((query, q) => {
      const found = searcher.search(query, documents.length, { also: [...documents.keys()] });
      const where = `${JSON.stringify(said)} '${query}'`;
      scores[q]!.forEach((score, d) => {
        assert.ok(
          Math.abs(found.also[d]! - score) < TOLERANCE,
          `${where} document ${d}: ${found.also[d]} ${score}`,
        );
      });
      found.documents.forEach((d, i) => {
        assert.equal(found.scores[i], found.also[d]);
      });
    });
  }
});
