/** The MPT decoder against Transformers (ALiBi) and a plain PyTorch reference (learned positions): hidden states, logits, loss, gradients. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { graph, models, nn, runtime } from 'isoflop';
import { type ReferenceCase, referenceConfig, referenceWeights } from './support/reference-model.ts';

const { backward, input, makeGraph, numbersOf, optimize, reshape, slice, tensor, verify } = graph;
const { mptHidden, mptLogits, parameterInputs, TOKEN_EMBEDDING } = models;
type Tensor = graph.Tensor;

interface Golden extends ReferenceCase {
  readonly loss: number;
  /** Of the last three positions of the last sequence. */
  readonly hidden: readonly number[];
  readonly logits: readonly number[];
  /** Of all positions: see `projection`. */
  readonly hiddenProjection: number;
  readonly logitsProjection: number;
  readonly gradients: Readonly<
    Record<string, { readonly projection: number; readonly norm: number; readonly head: readonly number[] }>
  >;
}

const folder = new URL('../../tests/golden/', import.meta.url);
const goldens = readdirSync(folder)
  .filter(name => /^mpt-.*\.golden\.json$/.test(name))
  .map(name => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Golden);

function assertNear(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number,
  what: string,
): void {
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)));
  assert.equal(actual.length, expected.length, what);
  assert.ok(worst <= tolerance, `${what}: off by ${worst}`);
}

const norm = (numbers: readonly number[]): number => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));

/** A sum in which every number counts differently, as bench/peers/mpt_golden.py has it. */
const projection = (numbers: readonly number[]): number =>
  numbers.reduce((sum, x, i) => sum + x * Math.cos(1 + 0.37 * i), 0);

/** Hidden states, logits, loss and all gradients in one run; sizes are numbers, or names where `dynamic`. */
async function runGolden(
  golden: Golden,
  options: { readonly dynamic?: boolean; readonly causalBlocks?: number; readonly pieces?: number },
) {
  const config = referenceConfig(golden);
  const weights = parameterInputs(config);
  const [batch, length] = [golden.ids.length, golden.length];
  const ids = input('ids', 'int32', options.dynamic ? ['B', 'T1'] : [batch, length + 1]);
  const context = options.dynamic ? input('context', 'int32', ['B', 'T']) : slice(ids, 1, 0, length);
  const targets = options.dynamic
    ? input('targets', 'int32', ['N'])
    : reshape(slice(ids, 1, 1, length + 1), [batch * length]);
  const tokens = options.dynamic ? 'N' : batch * length;
  const { causalBlocks } = options;
  const hidden = mptHidden(config, weights, context, {
    tokens,
    ...(causalBlocks !== undefined && { causalBlocks }),
  });
  const table = weights.get(TOKEN_EMBEDDING)!;
  const head = nn.crossEntropyWithGradients(hidden, table, targets, options.pieces ?? 1);
  const gradients = backward(
    [hidden, table],
    [head.hiddenGradient, head.tableGradient],
    [...weights.values()],
  );
  const outputs: Record<string, graph.Value> = {
    hidden,
    logits: mptLogits(weights, hidden),
    loss: head.lossSum,
  };
  [...weights.keys()].forEach((name, i) => {
    outputs[`d:${name}`] = gradients[i]!;
  });
  const rest = options.dynamic ? [context, targets] : [ids];
  const session = await runtime.Session.create(
    verify(optimize(makeGraph([...weights.values(), ...rest], outputs))),
    { threads: 1 },
  );
  const flat = golden.ids.flat();
  const feeds: Record<string, Tensor> = options.dynamic
    ? {
        context: tensor(
          'int32',
          [batch, length],
          golden.ids.flatMap(row => row.slice(0, -1)),
        ),
        targets: tensor(
          'int32',
          [batch * length],
          golden.ids.flatMap(row => row.slice(1)),
        ),
      }
    : { ids: tensor('int32', [batch, length + 1], flat) };
  const results = await session.run({ ...Object.fromEntries(referenceWeights(config)), ...feeds });
  await session.release();
  return results;
}

const variants = [
  { name: 'fixed sizes', options: {} },
  { name: 'sizes known at run time', options: { dynamic: true } },
  { name: 'causal blocks and a loss in pieces', options: { causalBlocks: 2, pieces: 2 } },
] as const;

for (const golden of goldens) {
  for (const { name, options } of variants) {
    test(`${golden.name}, ${name}: equal to the reference`, async () => {
      const results = await runGolden(golden, options);
      const rows = (key: string, width: number) => numbersOf(results[key]!).slice(-3 * width);
      assertNear(rows('hidden', golden.d), golden.hidden, 1e-4, 'hidden states');
      assertNear(rows('logits', golden.vocab), golden.logits, 1e-4, 'logits');
      for (const [key, expected] of [
        ['hidden', golden.hiddenProjection],
        ['logits', golden.logitsProjection],
      ] as const) {
        const all = numbersOf(results[key]!);
        assertNear([projection(all)], [expected], 1e-4 * Math.sqrt(all.length), `all ${key}`);
      }
      const tokens = golden.ids.length * golden.length;
      assertNear([numbersOf(results['loss']!)[0]! / tokens], [golden.loss], 1e-5, 'loss');
      for (const [key, expected] of Object.entries(golden.gradients)) {
        const gradient = numbersOf(results[`d:${key}`]!).map(g => g / tokens);
        assertNear([norm(gradient)], [expected.norm], 1e-3 * expected.norm, `norm of d ${key}`);
        const reach = 1e-3 * Math.max(1e-3, norm(gradient));
        assertNear([projection(gradient)], [expected.projection], reach, `projection of d ${key}`);
        assertNear(gradient.slice(0, 6), expected.head, reach, `d ${key}`);
      }
    });
  }
}

test('there are goldens of both flavours, with and without a power of two of heads', () => {
  assert.deepEqual(goldens.map(g => `${g.flavour} ${g.heads}`).sort(), [
    'alibi 4',
    'alibi 6',
    'learned 3',
    'learned 4',
  ]);
});
