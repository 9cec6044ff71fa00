import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEARNED_FLAVOUR, mptConfig, mptParameters } from './index.ts';

const SHAPE = { dModel: 8, heads: 2, layers: 3, vocabSize: 11, maxLength: 6 };

test("names and shapes are the reference implementation's, in its order", () => {
  const alibi = mptParameters(mptConfig({ ...SHAPE, layers: 1 }));
  assert.deepEqual(
    alibi.map(({ name, shape }) => `${name} [${shape}]`),
    [
      'transformer.wte.weight [11,8]',
      'transformer.blocks.0.norm_1.weight [8]',
      'transformer.blocks.0.attn.Wqkv.weight [24,8]',
      'transformer.blocks.0.attn.out_proj.weight [8,8]',
      'transformer.blocks.0.norm_2.weight [8]',
      'transformer.blocks.0.ffn.up_proj.weight [32,8]',
      'transformer.blocks.0.ffn.down_proj.weight [8,32]',
      'transformer.norm_f.weight [8]',
    ],
  );
  const learned = mptParameters(mptConfig({ ...SHAPE, layers: 1, ...LEARNED_FLAVOUR }));
  const added = learned.filter(({ name }) => !alibi.some(other => other.name === name));
  assert.deepEqual(
    added.map(({ name, shape }) => `${name.replace('transformer.', '')} [${shape}]`),
    [
      'wpe.weight [6,8]',
      'blocks.0.norm_1.bias [8]',
      'blocks.0.attn.Wqkv.bias [24]',
      'blocks.0.attn.out_proj.bias [8]',
      'blocks.0.norm_2.bias [8]',
      'blocks.0.ffn.up_proj.bias [32]',
      'blocks.0.ffn.down_proj.bias [8]',
      'norm_f.bias [8]',
    ],
  );
});

test('weights start as llm-foundry starts them: fan-in, and smaller where they write to the residual stream', () => {
  const { dModel: d, layers } = SHAPE;
  const expected: [RegExp, number][] = [
    [/w[tp]e\.weight$/, Math.sqrt(2 / d)],
    [/(Wqkv|up_proj)\.weight$/, Math.sqrt(2 / d)],
    [/out_proj\.weight$/, Math.sqrt(2 / d) / Math.sqrt(2 * layers)],
    [/down_proj\.weight$/, Math.sqrt(2 / (4 * d)) / Math.sqrt(2 * layers)],
  ];
  const parameters = mptParameters(mptConfig({ ...SHAPE, ...LEARNED_FLAVOUR }));
  for (const { name, initializer } of parameters) {
    const std = expected.find(([pattern]) => pattern.test(name))?.[1];
    if (std !== undefined) assert.deepEqual(initializer, { kind: 'normal', std }, name);
    else assert.deepEqual(initializer, { kind: name.endsWith('bias') ? 'zeros' : 'ones' }, name);
  }
});
