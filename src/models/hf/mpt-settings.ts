/**
 * The settings of an MPT `config.json` that change what the model computes, and the values under which it is the model built here.
 * Keys are llm-foundry's (models/mpt/configuration_mpt.py, models/utils/config_defaults.py) and Transformers' (MptConfig). Settings that only
 * say how a model is trained or run (dropout, initialisation, attention kernels, caching, devices) are not looked at.
 */
import { isJsonObject, type JsonObject, show } from './unique-json.ts';

interface Setting {
  /** `attn_config.alibi` is the key `alibi` inside `attn_config`. */
  readonly key: string;
  /** A missing key counts as supported: it is every writer's default. */
  readonly supported: (value: unknown, config: JsonObject) => boolean;
  readonly expected: string;
  /** What the model would do otherwise. */
  readonly effect: string;
}

const setting =
  (supported: Setting['supported'], expected: string) =>
  (key: string, effect: string): Setting => ({ key, supported, expected, effect });

const unset = setting(value => value === null, 'null');
const off = setting(value => value === false || value === null, 'false');
const oneOf = (...values: readonly (string | number | boolean)[]) =>
  setting(value => values.includes(value as string), values.join(' or '));
const emptyList = setting(value => value === null || (Array.isArray(value) && value.length === 0), '[]');

const exactGelu = setting(
  value =>
    value === null ||
    (isJsonObject(value) &&
      value['name'] === 'gelu' &&
      (value['approximate'] === undefined || value['approximate'] === 'none')),
  'null or {"name": "gelu", "approximate": "none"}',
);
const allHeads = setting((value, config) => value === null || value === config['n_heads'], 'null or n_heads');

const SETTINGS: readonly Setting[] = [
  oneOf('multihead_attention')('attn_config.attn_type', 'shares keys and values between heads'),
  allHeads('attn_config.kv_n_heads', 'shares keys and values between heads'),
  unset('attn_config.kv_dim', 'reads keys and values from another width'),
  oneOf(true)('attn_config.fused_qkv', 'has separate projections of queries, keys and values'),
  unset('attn_config.clip_qkv', 'clips queries, keys and values'),
  off('attn_config.qk_ln', 'normalises queries and keys'),
  off('attn_config.qk_gn', 'normalises queries and keys'),
  unset('attn_config.softmax_scale', 'scales attention scores by something else than 1/sqrt(head size)'),
  unset('attn_config.attn_logit_softcapping', 'caps attention scores'),
  oneOf(-1)('attn_config.sliding_window_size', 'attends to a window only'),
  emptyList('attn_config.flex_attn_mod_list', 'modifies attention scores'),
  off('attn_config.prefix_lm', 'attends to a prefix in both directions'),
  off('attn_config.rope', 'rotates queries and keys (RoPE)'),
  oneOf('mptmlp')('ffn_config.ffn_type', 'has another kind of feed-forward layer'),
  unset('ffn_config.ffn_hidden_size', 'has a feed-forward layer of another width than expansion_ratio gives'),
  exactGelu('ffn_config.ffn_act_fn', 'has another activation function than the exact GELU'),
  oneOf('low_precision_layernorm', 'layernorm')('norm_type', 'has another norm than LayerNorm'),
  unset('logit_scale', 'scales its logits'),
  unset('final_logit_softcapping', 'caps its logits'),
  unset('residual_modification', 'weighs its residual connections'),
  unset('block_overrides', 'has blocks of several kinds'),
  unset('quantization_config', 'has quantised weights'),
];

/** Everything about a configuration that isoflop's MPT does not do, as messages that name key, value, reason and remedy. */
export function unsupportedSettings(config: JsonObject): string[] {
  return SETTINGS.flatMap(({ key, supported, expected, effect }) => {
    const value = valueAt(config, key);
    if (value === undefined || supported(value, config)) return [];
    return [`${key} is ${show(value)}: that model ${effect}, isoflop's MPT does not (expected ${expected})`];
  });
}

/** The value at `a` or `a.b`; undefined where it is missing. */
export function valueAt(config: JsonObject, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((value, part) => (isJsonObject(value) ? value[part] : undefined), config);
}
