/** `config.json` of an MPT model directory, as llm-foundry and as Transformers write it, to and from `MptConfig`. The only place that knows its keys. */
import { InputError, Problems } from '../../base/index.ts';
import { type MptConfig, mptConfigProblems } from '../mpt/index.ts';
import { unsupportedSettings, valueAt } from './mpt-settings.ts';
import { isJsonObject, type JsonObject, readJsonObject, show } from './unique-json.ts';

/** What a configuration file says about a model. */
export interface MptDescription {
  readonly config: MptConfig;
  /** False: the weights hold an `lm_head.weight` of their own, which must equal the token embedding. */
  readonly tied: boolean;
}

export const CONFIG_FILE = 'config.json';

/** The names of the model's class in Transformers and in llm-foundry: what tells the two writers apart. */
export const TRANSFORMERS_CLASS = 'MptForCausalLM';
export const FOUNDRY_CLASS = 'MPTForCausalLM';

const MAX_CONFIG_BYTES = 16 << 20;

/** Reads a `config.json`. Throws one `InputError` with everything in it that is missing, wrong, or not what isoflop's MPT computes. */
export async function readMptConfig(path: string): Promise<MptDescription> {
  return parseMptConfig(await readJsonObject(path, MAX_CONFIG_BYTES), path);
}

export function parseMptConfig(raw: JsonObject, where: string): MptDescription {
  if (raw['model_type'] !== 'mpt')
    throw new InputError(
      where,
      `model_type is ${show(raw['model_type'] ?? null)}, expected "mpt": no other model family is read`,
    );
  const problems = new Problems();
  const report = (message: string) => problems.add(where, message);
  for (const key of ['attn_config', 'ffn_config']) {
    const value = raw[key] ?? {};
    if (!isJsonObject(value)) report(`${key} is ${show(value)}, expected an object`);
  }
  for (const message of unsupportedSettings(raw)) report(message);
  const before = problems.count;
  const fields = new Fields(raw, report);
  const config = { ...readSizes(fields), ...readFlavour(fields, report) };
  const tied = fields.boolean('tie_word_embeddings', true);
  const readable = problems.count === before;
  if (readable) for (const message of mptConfigProblems(config)) report(message);
  problems.throwIfAny();
  return { config, tied };
}

type Report = (message: string) => void;

/** Values by key. What is missing or of the wrong type is reported and replaced by a value that is never used. */
class Fields {
  readonly #raw: JsonObject;
  readonly #report: Report;

  constructor(raw: JsonObject, report: Report) {
    this.#raw = raw;
    this.#report = report;
  }

  at(key: string): unknown {
    return valueAt(this.#raw, key);
  }

  number(key: string, fallback?: number): number {
    return this.#read(key, fallback, Number.NaN, 'a number', value => Number.isFinite(value));
  }

  boolean(key: string, fallback?: boolean): boolean {
    return this.#read(key, fallback, false, 'true or false', value => typeof value === 'boolean');
  }

  #read<T>(
    key: string,
    fallback: T | undefined,
    unused: T,
    expected: string,
    fits: (value: unknown) => boolean,
  ): T {
    const value = this.at(key);
    if (value === undefined && fallback !== undefined) return fallback;
    if (fits(value)) return value as T;
    this.#report(
      value === undefined
        ? `${key} is missing, expected ${expected}`
        : `${key} is ${show(value)}, expected ${expected}`,
    );
    return unused;
  }
}

function readSizes(fields: Fields) {
  const epsilon = fields.at('layer_norm_epsilon') === undefined ? 'norm_eps' : 'layer_norm_epsilon';
  return {
    dModel: fields.number('d_model'),
    heads: fields.number('n_heads'),
    layers: fields.number('n_layers'),
    vocabSize: fields.number('vocab_size'),
    maxLength: fields.number('max_seq_len'),
    expansion: fields.number('expansion_ratio', 4),
    alibiBiasMax: fields.number('attn_config.alibi_bias_max', 8),
    layerNormEpsilon: fields.number(epsilon, 1e-5),
  };
}

/**
 * ALiBi switches learned positions off, whatever `learned_pos_emb` says (both writers). Where a deciding key is missing, the writer's default
 * holds: Transformers' model has ALiBi and no biases, llm-foundry's has learned positions and biases.
 */
function readFlavour(fields: Fields, report: Report): Pick<MptConfig, 'positions' | 'bias'> {
  const transformers = isFromTransformers(fields);
  const alibi = fields.boolean('attn_config.alibi', transformers);
  const bias = !fields.boolean('no_bias', transformers);
  if (transformers) reportIgnored(fields, report);
  else if (!alibi && !fields.boolean('learned_pos_emb', true))
    report('neither attn_config.alibi nor learned_pos_emb is true: isoflop has no MPT without positions');
  return { positions: alibi ? 'alibi' : 'learned', bias };
}

/** Whose defaults hold: Transformers' (true), llm-foundry's (false), or nobody knows. */
function isFromTransformers(fields: Fields): boolean | undefined {
  const classes = fields.at('architectures');
  if (!Array.isArray(classes)) return undefined;
  if (classes.some(name => /^MPT/.test(String(name)))) return false;
  return classes.some(name => /^Mpt/.test(String(name))) ? true : undefined;
}

/** Settings that Transformers' class does not look at: with other values than its own, the file says two things. */
function reportIgnored(fields: Fields, report: Report): void {
  const fixed = [
    ['attn_config.alibi', true],
    ['attn_config.alibi_bias_max', 8],
    ['expansion_ratio', 4],
    ['no_bias', true],
  ] as const;
  for (const [key, own] of fixed) {
    const value = fields.at(key);
    if (value !== undefined && value !== own)
      report(
        `${key} is ${show(value)}, but ${TRANSFORMERS_CLASS} computes as if it were ${own}: set it to that, or architectures to ["${FOUNDRY_CLASS}"] if llm-foundry trained this model`,
      );
  }
}

/** What the weights are stored as, in `config.json`'s words. */
export type TorchDtype = 'float32' | 'float16' | 'bfloat16';

/** What keeps a model from being one of Transformers' MptForCausalLM; empty where nothing does. */
export function transformersObstacles(config: MptConfig): string[] {
  const obstacles: string[] = [];
  const { positions, bias, expansion, alibiBiasMax } = config;
  if (positions === 'learned')
    obstacles.push(
      `${TRANSFORMERS_CLASS} has no learned positions: it would leave them out and compute something else`,
    );
  if (bias)
    obstacles.push(`${TRANSFORMERS_CLASS} has no biases: it would leave them out and compute something else`);
  if (expansion !== 4)
    obstacles.push(`${TRANSFORMERS_CLASS} has an expansion of 4 only, this model has ${expansion}`);
  if (positions === 'alibi' && alibiBiasMax !== 8)
    obstacles.push(
      `${TRANSFORMERS_CLASS} computes ALiBi with a maximum bias of 8 only, this model has ${alibiBiasMax}`,
    );
  return obstacles;
}

/**
 * The `config.json` of a model: for Transformers' MptForCausalLM where that class can compute it, else in llm-foundry's form, marked as such.
 * llm-foundry reads both.
 */
export function formatMptConfig(config: MptConfig, dtype: TorchDtype): Record<string, unknown> {
  const obstacles = transformersObstacles(config);
  const alibi = config.positions === 'alibi';
  return {
    architectures: [obstacles.length === 0 ? TRANSFORMERS_CLASS : FOUNDRY_CLASS],
    ...(obstacles.length > 0 && { isoflop: { form: 'llm-foundry', notForTransformers: obstacles } }),
    attn_config: {
      alibi,
      alibi_bias_max: config.alibiBiasMax,
      attn_impl: 'torch',
      attn_pdrop: 0,
      attn_type: 'multihead_attention',
      attn_uses_sequence_id: false,
      clip_qkv: null,
      qk_ln: false,
      softmax_scale: null,
    },
    d_model: config.dModel,
    emb_pdrop: 0,
    expansion_ratio: config.expansion,
    layer_norm_epsilon: config.layerNormEpsilon,
    learned_pos_emb: !alibi,
    logit_scale: null,
    max_seq_len: config.maxLength,
    model_type: 'mpt',
    n_heads: config.heads,
    n_layers: config.layers,
    no_bias: !config.bias,
    norm_type: 'low_precision_layernorm',
    resid_pdrop: 0,
    tie_word_embeddings: true,
    torch_dtype: dtype,
    vocab_size: config.vocabSize,
  };
}
