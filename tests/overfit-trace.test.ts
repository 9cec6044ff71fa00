/**
 * Ten steps on one batch that is learned by heart, against a trace that Transformers' MPT and PyTorch's AdamW left in float64
 * (bench/peers/overfit_trace.py makes it anew). Forward, backward, clipping and the optimizer must all be right for ten losses and ten
 * gradient norms to agree to 1e-5 relative: float32 keeps about 1e-6 of each, and ten steps add up.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { train } from 'isoflop';
import { type ReferenceCase, referenceConfig, referenceWeights } from './support/reference-model.ts';

interface Trace extends ReferenceCase {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly steps: number;
  readonly losses: readonly number[];
  readonly gradNorms: readonly number[];
}

const TOLERANCE = 1e-5;

const file = new URL('../../tests/golden/overfit-trace.json', import.meta.url);
const golden = JSON.parse(readFileSync(file, 'utf8')) as Trace;

function assertTrace(actual: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    const off = Math.abs(actual[i]! - value) / value;
    assert.ok(off <= TOLERANCE, `${what} of step ${i + 1} is ${actual[i]}, expected ${value}`);
  });
}

for (const accumulation of [1, 2]) {
  test(`ten steps of overfitting, in ${accumulation} micro-step(s) each, follow the golden trace`, async () => {
    const { beta1, beta2, epsilon, weightDecay, learningRate, maxGradNorm, length, steps } = golden;
    const config = referenceConfig(golden);
    const batch = golden.ids.length / accumulation;
    const adamW = { beta1, beta2, epsilon, weightDecay };
    const engine = await train.PretrainEngine.create(
      config,
      { batch, length, accumulation, maxGradNorm, adamW },
      { threads: 1 },
    );
    engine.load(train.stateFromWeights(config, referenceWeights(config), 'reference'));
    const ids = Int32Array.from(Array.from({ length: steps }, () => golden.ids.flat()).flat());
    const learningRates = Array.from({ length: steps }, () => learningRate);
    const plan = { firstStep: 0, learningRates, peakLearningRate: learningRate };
    const { losses, gradNorms } = await engine.takeSteps(ids, plan);
    await engine.release();
    assertTrace(losses, golden.losses, 'loss');
    assertTrace(gradNorms, golden.gradNorms, 'gradient norm');
    assert.ok(losses.at(-1)! < 0.6 * losses[0]!, 'the batch is being learned');
  });
}
