/** The parameters of an MPT decoder: names as in llm-foundry and Transformers, shapes, beginnings, counts. */
import { type Initializer, kaimingNormal } from '../../nn/index.ts';
import type { MptConfig } from './config.ts';

export interface ParameterSpec {
  readonly name: string;
  /** Weights of linear layers are (out, in). */
  readonly shape: readonly number[];
  readonly initializer: Initializer;
}

const ZEROS: Initializer = { kind: 'zeros' };
const ONES: Initializer = { kind: 'ones' };

export const TOKEN_EMBEDDING = 'transformer.wte.weight';
export const POSITION_EMBEDDING = 'transformer.wpe.weight';
export const FINAL_NORM = 'transformer.norm_f';

export function blockName(layer: number): string {
  return `transformer.blocks.${layer}`;
}

/** Every parameter in the model's order. The output head is the token embedding (tied). */
export function mptParameters(config: MptConfig): ParameterSpec[] {
  const { dModel: d, vocabSize, maxLength, layers, positions } = config;
  const embeddings = [{ name: TOKEN_EMBEDDING, shape: [vocabSize, d], initializer: kaimingNormal(d) }];
  if (positions === 'learned')
    embeddings.push({ name: POSITION_EMBEDDING, shape: [maxLength, d], initializer: kaimingNormal(d) });
  const blocks = Array.from({ length: layers }, (_, layer) => blockParameters(config, blockName(layer)));
  return [...embeddings, ...blocks.flat(), ...normParameters(config, FINAL_NORM)];
}

function blockParameters(config: MptConfig, prefix: string): ParameterSpec[] {
  const { dModel: d, expansion, layers } = config;
  const wide = expansion * d;
  return [
    ...normParameters(config, `${prefix}.norm_1`),
    ...linearParameters(config, `${prefix}.attn.Wqkv`, 3 * d, d, kaimingNormal(d)), // each of q, k, v has fan-in d
    ...linearParameters(config, `${prefix}.attn.out_proj`, d, d, kaimingNormal(d, layers)),
    ...normParameters(config, `${prefix}.norm_2`),
    ...linearParameters(config, `${prefix}.ffn.up_proj`, wide, d, kaimingNormal(d)),
    ...linearParameters(config, `${prefix}.ffn.down_proj`, d, wide, kaimingNormal(wide, layers)),
  ];
}

function normParameters({ dModel, bias }: MptConfig, prefix: string): ParameterSpec[] {
  const weight = { name: `${prefix}.weight`, shape: [dModel], initializer: ONES };
  return bias ? [weight, { name: `${prefix}.bias`, shape: [dModel], initializer: ZEROS }] : [weight];
}

function linearParameters(
  { bias }: MptConfig,
  prefix: string,
  out: number,
  into: number,
  initializer: Initializer,
): ParameterSpec[] {
  const weight = { name: `${prefix}.weight`, shape: [out, into], initializer };
  return bias ? [weight, { name: `${prefix}.bias`, shape: [out], initializer: ZEROS }] : [weight];
}

export interface ParameterCount {
  readonly total: number;
  /** Total minus token and position embeddings: N - V d - T d. */
  readonly nonEmbedding: number;
}

/** With biases and learned positions: N = L (12 d^2 + 13 d) + 2 d + V d + T d; with ALiBi and no biases: L (12 d^2 + 2 d) + d + V d. */
export function countParameters(config: MptConfig): ParameterCount {
  let [total, embedding] = [0, 0];
  for (const { name, shape } of mptParameters(config)) {
    const size = shape.reduce((n, dim) => n * dim, 1);
    total += size;
    if (name === TOKEN_EMBEDDING || name === POSITION_EMBEDDING) embedding += size;
  }
  return { total, nonEmbedding: total - embedding };
}
