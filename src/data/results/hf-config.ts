/** Parameters of a published model from its Hugging Face `config.json`, by the closed form of its architecture. */
import { InputError } from '../../base/index.ts';
import { isRecord } from './scores.ts';

type Config = Readonly<Record<string, unknown>>;

/** Reads positive whole numbers and switches from a config, under the several names that architectures give them. */
class Fields {
  readonly #config: Config;
  readonly #file: string;

  constructor(config: Config, file: string) {
    this.#config = config;
    this.#file = file;
  }

  count(...names: readonly string[]): number {
    const found = this.optional(...names);
    if (found === undefined) throw new InputError(this.#file, `has no ${names.join(' or ')}`);
    return found;
  }

  optional(...names: readonly string[]): number | undefined {
    const name = names.find(key => this.#config[key] !== undefined && this.#config[key] !== null);
    if (name === undefined) return undefined;
    const value = this.#config[name];
    if (!Number.isSafeInteger(value) || (value as number) <= 0)
      throw new InputError(
        this.#file,
        `${name} is ${JSON.stringify(value)}, expected a whole number above 0`,
      );
    return value as number;
  }

  is(name: string, otherwise: boolean): boolean {
    const value = this.#config[name];
    return typeof value === 'boolean' ? value : otherwise;
  }

  group(name: string): Fields {
    const value = this.#config[name];
    return new Fields(isRecord(value) ? value : {}, this.#file);
  }
}

/** Pre-norm blocks with biases everywhere and a four times wider MLP: 12 d^2 + 13 d a layer. */
const biasedLayer = (d: number) => 12 * d * d + 13 * d;

const FORMULAS: Readonly<Record<string, (f: Fields) => number>> = {
  gpt_neox: f => {
    const [d, v, layers] = [f.count('hidden_size'), f.count('vocab_size'), f.count('num_hidden_layers')];
    const wide = f.optional('intermediate_size') ?? 4 * d;
    const embeddings = f.is('tie_word_embeddings', false) ? v * d : 2 * v * d;
    return embeddings + layers * (4 * d * d + 2 * d * wide + 8 * d + wide + d) + 2 * d;
  },
  gpt2: f => {
    const [d, v, t] = [
      f.count('n_embd', 'hidden_size'),
      f.count('vocab_size'),
      f.count('n_positions', 'n_ctx'),
    ];
    return (v + t) * d + f.count('n_layer', 'num_hidden_layers') * biasedLayer(d) + 2 * d;
  },
  gpt_neo: f => {
    const [d, v, t] = [f.count('hidden_size'), f.count('vocab_size'), f.count('max_position_embeddings')];
    return (v + t) * d + f.count('num_layers') * (12 * d * d + 10 * d) + 2 * d; // no biases on queries, keys and values
  },
  gptj: f => {
    const [d, v] = [f.count('n_embd'), f.count('vocab_size')];
    return 2 * v * d + v + f.count('n_layer') * (12 * d * d + 7 * d) + 2 * d; // untied head with a bias, one norm a layer
  },
  bloom: f => {
    const [d, v] = [f.count('n_embed', 'hidden_size'), f.count('vocab_size')];
    return v * d + 2 * d + f.count('n_layer', 'num_hidden_layers') * biasedLayer(d) + 2 * d;
  },
  opt: f => {
    const [d, v, wide] = [f.count('hidden_size'), f.count('vocab_size'), f.count('ffn_dim')];
    const projected = f.optional('word_embed_proj_dim') ?? d;
    const layer = 4 * d * d + 4 * d + 2 * d * wide + wide + d + 4 * d;
    const norm = f.is('do_layer_norm_before', true) ? 2 * d : 0;
    const projections = projected === d ? 0 : 2 * projected * d;
    return (
      v * projected +
      (f.count('max_position_embeddings') + 2) * d +
      projections +
      f.count('num_hidden_layers') * layer +
      norm
    );
  },
  bert: f => {
    const [d, v, wide] = [f.count('hidden_size'), f.count('vocab_size'), f.count('intermediate_size')];
    const tables = v + f.count('max_position_embeddings') + (f.optional('type_vocab_size') ?? 2);
    const layer = 4 * d * d + 4 * d + 2 * d * wide + wide + d + 4 * d;
    return tables * d + 2 * d + f.count('num_hidden_layers') * layer + d * d + d; // with the pooler
  },
  mpt: f => {
    const [d, v, layers] = [f.count('d_model'), f.count('vocab_size'), f.count('n_layers')];
    const wide = (f.optional('expansion_ratio') ?? 4) * d;
    const bias = !f.is('no_bias', false);
    const alibi = f.group('attn_config').is('alibi', false);
    const layer = 4 * d * d + 2 * d * wide + 2 * d + (bias ? 4 * d + wide + d + 2 * d : 0);
    const positions = alibi || !f.is('learned_pos_emb', true) ? 0 : f.count('max_seq_len') * d;
    return v * d + positions + layers * layer + (bias ? 2 * d : d);
  },
  llama: f => gatedModel(f, { queryBias: false }),
  mistral: f => gatedModel(f, { queryBias: false }),
  gemma: f => gatedModel(f, { queryBias: false, tied: true }),
  qwen2: f => gatedModel(f, { queryBias: true }),
};

/** Llama's kind: RMS norms, gated MLP, grouped keys and values. */
function gatedModel(f: Fields, { queryBias, tied = false }: { queryBias: boolean; tied?: boolean }): number {
  const [d, v, wide] = [f.count('hidden_size'), f.count('vocab_size'), f.count('intermediate_size')];
  const heads = f.count('num_attention_heads');
  const keyHeads = f.optional('num_key_value_heads') ?? heads;
  const headSize = f.optional('head_dim') ?? d / heads;
  const queries = heads * headSize;
  const keys = keyHeads * headSize;
  const biases = queryBias ? queries + 2 * keys : f.is('attention_bias', false) ? queries + 2 * keys + d : 0;
  const layer = d * (queries + 2 * keys) + queries * d + biases + 3 * d * wide + 2 * d;
  const embeddings = f.is('tie_word_embeddings', tied) ? v * d : 2 * v * d;
  return embeddings + f.count('num_hidden_layers') * layer + d;
}

/** Total parameters of the model that a `config.json` describes. Throws for an architecture whose closed form is not known here. */
export function parametersOfConfig(config: unknown, file: string): number {
  if (!isRecord(config)) throw new InputError(file, 'is no model configuration: expected a JSON object');
  const type = config['model_type'];
  const formula = typeof type === 'string' && Object.hasOwn(FORMULAS, type) ? FORMULAS[type] : undefined;
  if (formula === undefined)
    throw new InputError(
      file,
      `model_type ${JSON.stringify(type)}: parameters can be counted for ${Object.keys(FORMULAS).join(', ')}; give them in the model table instead`,
    );
  const count = formula(new Fields(config, file));
  if (!Number.isSafeInteger(count))
    throw new InputError(file, 'its sizes do not fit together: the count is no whole number');
  return count;
}
