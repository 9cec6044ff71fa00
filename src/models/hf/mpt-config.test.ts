/** config.json of an MPT: defaults by writer, and every setting that isoflop's MPT does not compute refused by name. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../base/index.ts';
import { parseMptConfig, readMptConfig } from './index.ts';
import { problemsOf } from './testing/problems.ts';
import { alibi, learned } from './testing/tiny.ts';

/** The keys that every configuration has. */
const FULL = {
  architectures: ['MPTForCausalLM'],
  model_type: 'mpt',
  ...{ d_model: 8, n_heads: 2, n_layers: 2, vocab_size: 11, max_seq_len: 6 },
};

test('each writer has defaults of its own for keys that are missing', () => {
  assert.deepEqual(parseMptConfig(FULL, 'c').config, learned);
  assert.deepEqual(parseMptConfig({ ...FULL, architectures: ['MptForCausalLM'] }, 'c').config, alibi);
  assert.deepEqual(
    parseMptConfig({ ...FULL, architectures: ['MptModel'], learned_pos_emb: true }, 'c').config,
    alibi,
  );
  const told = { attn_config: { alibi: true }, no_bias: true };
  assert.deepEqual(parseMptConfig({ ...FULL, ...told, architectures: undefined }, 'c').config, alibi);
  const released = parseMptConfig({ ...FULL, ...told, learned_pos_emb: true, norm_eps: 1e-6 }, 'c').config;
  assert.deepEqual(released, { ...alibi, layerNormEpsilon: 1e-6 });
  assert.throws(
    () => parseMptConfig({ ...FULL, architectures: null }, 'c'),
    /attn_config\.alibi is missing[\s\S]*no_bias is missing/,
  );
});

test('every setting that would make it another model is refused by name with the reason, all at once', () => {
  const attention = {
    ...{
      attn_type: 'grouped_query_attention',
      kv_n_heads: 1,
      kv_dim: 4,
      fused_qkv: false,
      clip_qkv: 6,
      qk_ln: true,
    },
    ...{ qk_gn: true, softmax_scale: 0.1, attn_logit_softcapping: 30, sliding_window_size: 128, rope: true },
    ...{ prefix_lm: true, flex_attn_mod_list: [{}] },
  };
  const others = {
    ffn_config: { ffn_type: 'mptglu', ffn_hidden_size: 7, ffn_act_fn: { name: 'relu' } },
    ...{ norm_type: 'rmsnorm', logit_scale: 2, final_logit_softcapping: 1, residual_modification: 'layer' },
    ...{ block_overrides: {}, quantization_config: { bits: 4 } },
  };
  try {
    parseMptConfig({ ...FULL, attn_config: attention, ...others }, 'config.json');
    assert.fail('accepted');
  } catch (error) {
    assert.ok(error instanceof InputError);
    const keys = [...Object.keys(attention).map(key => `attn_config.${key}`)];
    keys.push('ffn_config.ffn_type', 'ffn_config.ffn_hidden_size', 'ffn_config.ffn_act_fn');
    keys.push(...Object.keys(others).filter(key => key !== 'ffn_config'));
    assert.equal(error.problems.length, keys.length);
    for (const key of keys)
      assert.ok(
        error.problems.some(({ message }) => message.startsWith(`${key} is `)),
        key,
      );
    assert.match(
      error.message,
      /config\.json: attn_config\.clip_qkv is 6: that model clips queries, keys and values, isoflop's MPT does not \(expected null\)/,
    );
  }
  const harmless = {
    attn_config: {
      alibi: true,
      kv_n_heads: 2,
      sliding_window_size: -1,
      qk_ln: null,
      attn_pdrop: 0.1,
      rope_theta: 10,
    },
    ffn_config: { ffn_type: 'mptmlp', ffn_act_fn: { name: 'gelu', approximate: 'none' } },
    ...{ emb_pdrop: 0.1, init_config: {}, fc_type: { name: 'torch' }, use_cache: false },
  };
  assert.equal(parseMptConfig({ ...FULL, ...harmless }, 'c').config.positions, 'alibi');
});

test('sizes that are missing, of the wrong type or impossible are refused, all at once', () => {
  const cases: [object, RegExp, number][] = [
    [{ n_heads: 3 }, /3 heads do not divide a width of 8/, 1],
    [
      { d_model: undefined, n_heads: '2', vocab_size: null },
      /d_model is missing[\s\S]*n_heads is "2", expected a number[\s\S]*vocab_size is null/,
      3,
    ],
    [{ n_layers: 0, max_seq_len: 1.5 }, /layers is 0[\s\S]*maxLength is 1\.5/, 2],
    [{ n_layers: 1e9 }, /layers is 1000000000, expected a whole number from 1 to 10000/, 1],
    [{ expansion_ratio: 2.5, layer_norm_epsilon: 0 }, /expansion is 2\.5[\s\S]*layerNormEpsilon is 0/, 2],
    [
      { attn_config: 'x', no_bias: 'yes' },
      /attn_config is "x", expected an object[\s\S]*no_bias is "yes"/,
      2,
    ],
    [{ learned_pos_emb: false }, /no MPT without positions/, 1],
    [
      { architectures: ['MptForCausalLM'], attn_config: { alibi: false, alibi_bias_max: 4 } },
      /computes as if it were true[\s\S]*as if it were 8/,
      2,
    ],
    [{ model_type: 'llama' }, /model_type is "llama", expected "mpt"/, 1],
    [{ n_heads: 3, logit_scale: 2 }, /logit_scale[\s\S]*3 heads/, 2],
  ];
  for (const [changes, expected, count] of cases) {
    try {
      parseMptConfig({ ...FULL, ...changes }, 'c');
      assert.fail(`accepted ${JSON.stringify(changes)}`);
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, expected);
      assert.equal(error.problems.length, count, error.message);
    }
  }
});

test('a config.json that is no JSON object or names a key twice is refused', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'isoflop-mpt-config-'));
  after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'config.json');
  for (const [text, expected] of [
    ['[]', /expected a JSON object/],
    ['{', /not valid JSON/],
    ['{"model_type":"mpt","d_model":8,"d_model":16}', /names "d_model" twice/],
  ] as const) {
    await writeFile(path, text);
    assert.match((await problemsOf(readMptConfig(path))).join(), expected);
  }
});

test('fuzz: any configuration is read or refused', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(true, false, null, 8, 2, 'MptForCausalLM', ['MPTForCausalLM'], { alibi: true }),
  );
  const keys = [
    ...Object.keys(FULL),
    'attn_config',
    'ffn_config',
    'no_bias',
    'norm_type',
    'tie_word_embeddings',
    'expansion_ratio',
  ];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), value), changes => {
      try {
        const { config } = parseMptConfig({ ...FULL, ...changes, model_type: 'mpt' }, 'c');
        assert.equal(config.dModel % config.heads, 0);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
