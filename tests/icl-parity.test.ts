/** Summed log-likelihoods equal those of Transformers on the same weights (bench/peers/icl_transformers.py). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { icl, models } from 'isoflop';

const golden = (name: string): string =>
  fileURLToPath(new URL(`../../tests/golden/${name}`, import.meta.url));

interface Row {
  readonly tokens: readonly number[];
  readonly start: number;
  readonly logLikelihood: number;
  readonly greedy: boolean;
}

for (const batchTokens of [1, 2048]) {
  test(`log-likelihoods of Transformers, in batches of ${batchTokens} tokens`, async () => {
    const rows = JSON.parse(await readFile(golden('icl-scores.golden.json'), 'utf8')) as Row[];
    const { config, weights } = await models.readMptDirectory(golden('hf/mpt-3-heads'));
    const scorer = await icl.Scorer.create(config, weights, { threads: 1, batchTokens });
    const found = await scorer.score(
      rows.map(({ tokens, start }) => [{ tokens: Int32Array.from(tokens), start }]),
    );
    await scorer.release();
    assert.ok(rows.some(({ greedy }) => greedy) && rows.some(({ greedy }) => !greedy));
    for (const [i, { tokens, start, logLikelihood, greedy }] of rows.entries()) {
      const [score] = found[i]!;
      assert.ok(Math.abs(score!.logLikelihood - logLikelihood) < 1e-3, `${i}: ${score!.logLikelihood}`);
      assert.equal(score!.greedy, greedy);
      assert.equal(score!.tokens, tokens.length - start);
    }
  });
}
