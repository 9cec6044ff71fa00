import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../base/index.ts';
import {
  ALIBI_FLAVOUR,
  CONVENTIONS,
  checkMptConfig,
  countParameters,
  executedFlopsPerToken,
  flopsPerToken,
  type MptConfig,
  mptConfig,
  mptParameters,
  namedMpt,
  namedSizes,
  parseConvention,
  reportFlops,
  requireNamedMpt,
} from './index.ts';

/** llm-foundry's README, learned positions with biases; and the same shapes with ALiBi and no biases. */
const PUBLISHED: Readonly<Record<string, { learned: number; alibi?: number }>> = {
  'mpt-125m': { learned: 125_311_488, alibi: 123_636_480 },
  'mpt-350m': { learned: 355_985_408, alibi: 353_616_896 },
  'mpt-760m': { learned: 760_470_528, alibi: 756_917_760 },
  'mpt-1b': { learned: 1_315_950_592, alibi: 1_311_213_568 },
  'mpt-3b': { learned: 2_651_837_440, alibi: 2_645_690_880 },
  'mpt-7b': { learned: 6_658_859_008, alibi: 6_649_024_512 },
  'mpt-13b': { learned: 12_853_954_560 },
  'mpt-30b': { learned: 29_975_214_080 },
  'mpt-70b': { learned: 64_862_437_376 },
};

for (const [name, { learned, alibi }] of Object.entries(PUBLISHED)) {
  test(`${name} has the published number of parameters`, () => {
    const config = requireNamedMpt(name);
    assert.equal(countParameters(config).total, learned);
    if (alibi !== undefined) assert.equal(countParameters({ ...config, ...ALIBI_FLAVOUR }).total, alibi);
  });
}

/** FLOPs a token at 2,048 tokens a sequence, to four digits (computed apart from this code). */
const PER_TOKEN: readonly (readonly [string, string, string, string, string])[] = [
  ['mpt-125m', '7.519e+8', '5.103e+8', '9.784e+8', '7.388e+8'],
  ['mpt-350m', '2.136e+9', '1.814e+9', '2.740e+9', '2.423e+9'],
  ['mpt-760m', '4.563e+9', '4.080e+9', '5.469e+9', '4.988e+9'],
  ['mpt-1b', '7.896e+9', '7.252e+9', '9.104e+9', '8.463e+9'],
  ['mpt-3b', '1.591e+10', '1.511e+10', '1.792e+10', '1.712e+10'],
  ['mpt-7b', '3.995e+10', '3.866e+10', '4.317e+10', '4.189e+10'],
];

test('FLOPs a token of the ladder under every convention', () => {
  for (const [name, ...expected] of PER_TOKEN) {
    const config = requireNamedMpt(name);
    const found = CONVENTIONS.map(convention => flopsPerToken(config, convention).toExponential(3));
    assert.deepEqual(found, expected, name);
  }
});

test("palm is llm-foundry's flops_per_batch: (2 N T + 4 L d T^2) * 3 a sequence", () => {
  for (const name of namedSizes()) {
    const config = requireNamedMpt(name);
    const { dModel: d, layers: L, maxLength: T } = config;
    const sequence = (2 * countParameters(config).total * T + 4 * L * d * T * T) * 3;
    assert.equal(flopsPerToken(config, 'palm'), sequence / T, name);
  }
});

/** Shapes of Hoffmann et al. 2022, Table A9, and the ratio of their count to 6ND in Table A4. */
const TABLE_A4: readonly (readonly [
  dModel: number,
  heads: number,
  layers: number,
  millions: number,
  ratio: number,
])[] = [
  [640, 10, 10, 73, 1.025],
  [1024, 16, 20, 305, 1.101],
  [1280, 10, 24, 552, 1.083],
  [1792, 14, 26, 1143, 1.044],
  [2048, 16, 28, 1593, 1.033],
  [3584, 28, 40, 6796, 0.994],
];

/** Their models have biases, relative positions (a d x d matrix and two vectors a layer) and an untied head; the input embedding is not counted. */
function chinchillaParameters(d: number, layers: number, vocabulary: number): number {
  const attention = 3 * d * d + 3 * d + (d * d + 2 * d) + (d * d + d);
  const feedForward = 4 * d * d + 4 * d + (4 * d * d + d);
  return layers * (attention + feedForward + 4 * d) + 2 * d + d * vocabulary;
}

test("Chinchilla's count over 6ND is what its Table A4 says", () => {
  for (const [dModel, heads, layers, millions, ratio] of TABLE_A4) {
    const config = mptConfig({ dModel, heads, layers, vocabSize: 32_000, maxLength: 2048 });
    const parameters = chinchillaParameters(dModel, layers, 32_000);
    assert.equal(Math.floor(parameters / 1e6), millions);
    const found = flopsPerToken(config, 'chinchilla') / (6 * parameters);
    assert.equal(found.toFixed(3), ratio.toFixed(3));
  }
});

test('where the conventions are exact, and by how much they differ elsewhere', () => {
  for (const name of namedSizes()) {
    const config = requireNamedMpt(name);
    const { dModel: d, layers: L, heads: H, maxLength: T, vocabSize: V } = config;
    const executed = executedFlopsPerToken(config, 1);
    // palm multiplies every parameter; norms, biases and positions are added or looked up instead
    const added = countParameters(config).total - matrixElements(config);
    near(flopsPerToken(config, 'palm') - 6 * added, executed);
    // chinchilla counts the layers' products and 3 H T for the softmax, not the head
    near(flopsPerToken(config, 'chinchilla') - 3 * L * 3 * H * T + 6 * V * d, executed);
    // blocks of queries spare up to half of the attention
    near(executedFlopsPerToken(config, 4), executed - 12 * L * d * T * (3 / 8));
  }
});

const matrixElements = (config: MptConfig): number =>
  mptParameters(config)
    .filter(({ name, shape }) => shape.length === 2 && !name.includes('wpe'))
    .reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-12 * expected, `${actual}, expected ${expected}`);
}

test('a report holds every convention and multiplies by the tokens', () => {
  const report = reportFlops(requireNamedMpt('mpt-125m'), 2.5e9);
  assert.equal(report.paramsNonEmbedding, 125_311_488 - 50_368 * 768 - 2048 * 768);
  assert.equal(report.flops['6nd'], 6 * 125_311_488 * 2.5e9);
  assert.deepEqual(Object.keys(report.flops), [...CONVENTIONS]);
});

test('laptop rungs have about the parameters their names say, small heads, and ALiBi', () => {
  const sizes = namedSizes().filter(name => !(name in PUBLISHED));
  assert.equal(sizes.length, 10);
  for (const name of sizes) {
    const config = namedMpt(name)!;
    const said = Number.parseFloat(name.slice(4)) * (name.endsWith('k') ? 1e3 : 1e6);
    const { nonEmbedding } = countParameters(config);
    assert.ok(Math.abs(Math.log2(nonEmbedding / said)) < 0.3, `${name}: ${nonEmbedding}`);
    assert.equal(config.positions, 'alibi');
    assert.equal(config.bias, false);
    assert.ok([16, 24, 32, 64].includes(config.dModel / config.heads));
    checkMptConfig(config, name);
  }
});

test('names and conventions that do not exist list those that do', () => {
  assert.throws(() => requireNamedMpt('mpt-2b'), /mpt-2b: no such model size; there are mpt-50k, .*mpt-70b/);
  assert.throws(() => parseConvention('flops'), /there are 6nd, 6nd-nonembedding, palm, chinchilla/);
  assert.equal(parseConvention('PaLM'), 'palm');
  assert.equal(namedMpt('MPT-125M', { vocabSize: 10 })!.vocabSize, 10);
});

test('everything wrong with a configuration is said at once', () => {
  const config = mptConfig({
    dModel: 10,
    heads: 3,
    layers: 0,
    vocabSize: 1.5,
    maxLength: 8,
    layerNormEpsilon: 0,
  });
  assert.throws(
    () => checkMptConfig(config, 'here'),
    (error: unknown) => error instanceof InputError && error.problems.length === 4,
  );
});
