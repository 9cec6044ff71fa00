import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError, parseConfig } from '../base/index.ts';
import { countParameters, namedSizes } from '../models/index.ts';
import { budgetsOf, microBatch, modelOf, type PretrainConfig, pretrainSchema } from './config.ts';
import { planSegments } from './plan.ts';

const parse = (text: string): PretrainConfig => parseConfig(text, 'p.yaml', pretrainSchema, {});

/** Everything that a configuration decides before any text is read. */
function decide(config: PretrainConfig) {
  const batch = microBatch(config);
  const model = modelOf(config, 4096);
  const budgets = budgetsOf(config, countParameters(model).total);
  const segments = planSegments({
    budgets,
    tokensPerStep: config.batchTokens,
    warmupTokens: config.warmupTokens ?? Math.round(0.05 * Math.min(...budgets)),
    schedule: config.schedule,
  });
  return { batch, model, budgets, segments };
}

function refuses(text: string, ...patterns: readonly RegExp[]): void {
  assert.throws(
    () => decide(parse(text)),
    error => {
      assert.ok(error instanceof InputError, String(error));
      for (const pattern of patterns) assert.match(error.message, pattern);
      return true;
    },
    text,
  );
}

test('heads that do not divide the width, unknown sizes and batches that are no whole sequences are refused', () => {
  refuses(
    'model: { dModel: 64, heads: 6, layers: 2 }\ntokens: 1e6',
    /model: 6 heads do not divide a width of 64/,
  );
  refuses('model: mpt-3m\ntokens: 1e6', /mpt-3m: no such model size; there are mpt-50k/);
  refuses('model: mpt-1m\ntokens: 1e6\nbatchTokens: 1000', /batchTokens: 1000 is not a multiple of/);
  refuses('model: mpt-1m\ntokens: 1e6\naccumulation: 3', /not a multiple of .*accumulation \(3\)/);
});

test('all problems of a file come at once, each with its line', () => {
  refuses(
    'model: mpt-1m\ntokens: [0, 20 x]\nthread: 2\nseed: -1\nschedule: { kind: linear }',
    /p\.yaml:2:10: /,
    /p\.yaml:2:13: /,
    /thread/,
    /p\.yaml:4:7: /,
    /p\.yaml:5:/,
  );
});

test('budgets below a step and a warm-up that leaves nothing are refused', () => {
  refuses('model: mpt-1m\ntokens: 500', /budgets: 500 tokens are less than one step of 2048/);
  refuses('model: mpt-1m\ntokens: 0x', /less than one step/);
  refuses('model: mpt-1m\ntokens: 1e5\nwarmupTokens: 100000', /warmupTokens: 100000 tokens of warm-up leave/);
});

test('a budget may be tokens a parameter', () => {
  const { budgets, model } = decide(parse('model: mpt-1m\ntokens: [20x, 0.5x, 3e6]'));
  const { total } = countParameters(model);
  assert.deepEqual(budgets, [20 * total, Math.round(total / 2), 3e6]);
});

const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    -1,
    1.5,
    1e-300,
    1e300,
    2 ** 53,
    -0,
    null,
    true,
    '',
    [],
    {},
    '${HOME}',
    '20x',
    '-3x',
  ),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY),
  fc.jsonValue({ maxDepth: 2 }),
);
const count = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(1, 2, 4, 8, 64, 512, 1e6) },
  { weight: 1, arbitrary: hostile },
);
const maybe = <T>(own: fc.Arbitrary<T>) =>
  fc.option(fc.oneof({ weight: 12, arbitrary: own }, { weight: 1, arbitrary: hostile }), { nil: undefined });

const configs = fc.record({
  model: fc.oneof(
    fc.constantFrom(...namedSizes()),
    fc.record({
      dModel: count,
      heads: count,
      layers: count,
      positions: maybe(fc.constantFrom('alibi', 'learned')),
    }),
    hostile,
  ),
  tokens: fc.oneof(
    count,
    fc.array(fc.integer({ min: 1e5, max: 1e7 }), { maxLength: 4 }),
    fc.constantFrom('20x', '0.001x'),
    hostile,
  ),
  sequenceLength: maybe(fc.constantFrom(1, 64, 256)),
  batchTokens: maybe(fc.constantFrom(64, 512, 2048)),
  accumulation: maybe(fc.constantFrom(1, 2, 3)),
  warmupTokens: maybe(fc.nat(5000)),
  schedule: maybe(
    fc.record({
      kind: fc.constantFrom('cosine', 'wsd', 'linear'),
      finalFactor: maybe(fc.double({ min: 0, max: 1 })),
    }),
  ),
  heldOutShare: maybe(fc.double({ min: 0, max: 1 })),
  seed: maybe(fc.nat()),
});

/** JSON is YAML, but for the numbers that it cannot say. */
const yamlOf = (value: unknown): string =>
  JSON.stringify(value, (_, item) => (typeof item === 'number' && !Number.isFinite(item) ? `!${item}` : item))
    .replaceAll('"!NaN"', '.nan')
    .replaceAll('"!Infinity"', '.inf');

test('fuzz: a configuration is refused, or decides on numbers that make sense', () => {
  let taken = 0;
  fc.assert(
    fc.property(configs, given => {
      let decided: ReturnType<typeof decide>;
      try {
        decided = decide(parse(yamlOf(given)));
      } catch (error) {
        return assert.ok(error instanceof InputError, `${yamlOf(given)}: ${error}`);
      }
      taken++;
      const { batch, model, budgets, segments } = decided;
      assert.equal(model.dModel % model.heads, 0);
      assert.ok(Number.isSafeInteger(batch) && batch >= 1);
      assert.ok(budgets.every(tokens => Number.isFinite(tokens) && tokens >= 1));
      for (const { from, to } of segments) assert.ok(Number.isFinite(to) && from >= 0 && from < to);
    }),
    { numRuns: 2000, seed: 17 },
  );
  assert.ok(taken > 50, `only ${taken} were taken: the generator has gone astray`);
});

test('fuzz: any text is a configuration or an InputError', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text => {
      try {
        decide(parse(`model: mpt-1m\ntokens: 1e6\n${text}`));
      } catch (error) {
        assert.ok(error instanceof InputError, `${JSON.stringify(text)}: ${error}`);
      }
    }),
  );
});
