import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Rng } from '../base/index.ts';
import { bootstrapMeans, holm, mean, pairedBootstrap, randomisationTest, variance } from './index.ts';

const a = [0.41, 0.35, 0.62, 0.2, 0.9, 0.55, 0.31, 0.74, 0.1, 0.66];
const b = [0.4, 0.3, 0.65, 0.1, 0.7, 0.5, 0.36, 0.6, 0.1, 0.6];
const rng = () => Rng.from(17, 'test');

test('the exact randomisation test is scipy.stats.permutation_test over all sign assignments', () => {
  assert.equal(randomisationTest(a, b, rng(), 0), 0.05859375);
  assert.equal(randomisationTest(b, a, rng(), 0), 0.05859375);
  assert.equal(randomisationTest(a, a, rng(), 0), 1);
});

test('the sampled randomisation test approaches the exact one', () => {
  // Eighteen differing queries are sampled; their exact p value by complete enumeration:
  const left = Array.from({ length: 18 }, (_, i) => ((i * 37) % 11) / 10);
  const right = left.map((value, i) => value - (((i * 53) % 17) - 6) / 40);
  const differences = left.map((value, i) => value - right[i]!).filter(d => Math.abs(d) > 1e-12);
  assert.ok(differences.length > 16);
  const observed = Math.abs(differences.reduce((sum, d) => sum + d, 0));
  let extreme = 0;
  for (let signs = 0; signs < 2 ** differences.length; signs++) {
    const sum = differences.reduce((total, d, i) => total + ((signs >> i) & 1 ? -d : d), 0);
    if (Math.abs(sum) >= observed - 1e-9) extreme++;
  }
  const exact = extreme / 2 ** differences.length;
  const sampled = randomisationTest(left, right, rng(), 20_000);
  assert.ok(Math.abs(sampled - exact) < 4 * Math.sqrt((exact * (1 - exact)) / 20_000), `${sampled} ${exact}`);
});

test('bootstrap intervals have the width of the standard error and share their resamples', () => {
  const draw = rng();
  const values = Float64Array.from({ length: 400 }, () => draw.normal());
  const [first, second] = bootstrapMeans([values, values.map(v => 2 * v + 1)], rng(), 4000, 0.95);
  const error = Math.sqrt(variance(values) / values.length);
  assert.ok(Math.abs(first!.low - (mean(values) - 1.96 * error)) < 0.1 * error);
  assert.ok(Math.abs(first!.high - (mean(values) + 1.96 * error)) < 0.1 * error);
  assert.ok(Math.abs(second!.low - (2 * first!.low + 1)) < 1e-12);
});

test('the paired bootstrap sees a difference that is there and none that is not', () => {
  const draw = rng();
  const left = Array.from({ length: 200 }, () => draw.uniform());
  const better = left.map(value => value + 0.05 + 0.1 * draw.normal());
  const same = left.map(value => value + 0.1 * draw.normal());
  const found = pairedBootstrap(better, left, rng(), 2000, 0.95);
  assert.ok(
    found.pValue < 0.001 && found.low > 0 && found.low < found.difference && found.difference < found.high,
  );
  const none = pairedBootstrap(same, left, rng(), 2000, 0.95);
  assert.ok(none.pValue > 0.05 && none.low < 0 && none.high > 0);
  assert.equal(pairedBootstrap(left, left, rng(), 100, 0.95).pValue, 1);
});

test("Holm's correction", () => {
  // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [i, expected] of [0.03, 0.06, 0.06, 0.02].entries())
    assert.ok(Math.abs(adjusted[i]! - expected) < 1e-12);
  assert.deepEqual(holm([]), []);
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), pValues => {
      const out = holm(pValues);
      for (let i = 0; i < out.length; i++) {
        assert.ok(out[i]! >= pValues[i]! && out[i]! <= Math.max(1, pValues[i]!));
        for (let j = 0; j < out.length; j++) if (pValues[i]! < pValues[j]!) assert.ok(out[i]! <= out[j]!);
      }
    }),
  );
});
