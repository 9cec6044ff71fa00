/** Pretraining FLOPs under the conventions of the literature. The convention belongs to every number and every axis label. docs/flops.md explains them. */
import { InputError } from '../../base/index.ts';
import { causalBlocks } from '../../nn/index.ts';
import type { MptConfig } from './config.ts';
import { countParameters } from './parameters.ts';

/**
 * DEVIATION: the paper does not say how it counted. All of these are offered; 6 N D is the default, because it is what most of the literature means.
 * `6nd`               6 N D with all parameters (Kaplan et al. 2020, Hoffmann et al. 2022); the default
 * `6nd-nonembedding`  the same without token and position embeddings: N - V d - T d
 * `palm`              (6 N + 12 L d T) D: PaLM's MFU convention, equal to llm-foundry's flops_per_batch
 * `chinchilla`        Hoffmann et al. 2022, appendix F, without embeddings and logits, as its Table A4 was computed
 */
export const CONVENTIONS = ['6nd', '6nd-nonembedding', 'palm', 'chinchilla'] as const;

export type FlopsConvention = (typeof CONVENTIONS)[number];

export function parseConvention(text: string): FlopsConvention {
  const found = CONVENTIONS.find(convention => convention === text.toLowerCase());
  if (!found)
    throw new InputError(
      `convention ${text}`,
      `no such FLOPs convention; there are ${CONVENTIONS.join(', ')}`,
    );
  return found;
}

/** Training FLOPs (forward and backward) a token, at the configuration's sequence length. */
export function flopsPerToken(config: MptConfig, convention: FlopsConvention): number {
  const { dModel: d, layers: L, maxLength: T } = config;
  const { total, nonEmbedding } = countParameters(config);
  switch (convention) {
    case '6nd':
      return 6 * total;
    case '6nd-nonembedding':
      return 6 * nonEmbedding;
    case 'palm':
      return 6 * total + 12 * L * d * T;
    case 'chinchilla':
      return (3 * L * chinchillaLayer(config)) / T;
  }
}

/** Forward FLOPs of one layer for one sequence: projections, scores, softmax, mixing, feed-forward. */
function chinchillaLayer({ dModel: d, heads: H, maxLength: T, expansion }: MptConfig): number {
  const qkv = 2 * 3 * T * d * d;
  const scores = 2 * T * T * d;
  const softmax = 3 * H * T * T;
  const mixing = 2 * T * T * d;
  const out = 2 * T * d * d;
  const feedForward = 2 * T * (2 * d * expansion * d);
  return qkv + scores + softmax + mixing + out + feedForward;
}

/**
 * FLOPs a token of the matrix products that a training step of isoflop executes: 6 (L (4 + 2e) d^2 + V d) + 12 L d T (n + 1) / 2n, with e the
 * expansion and n the blocks of queries, of which each skips the keys after its end. Equals the count of the emitted graph: the weights of the
 * layers and of the tied head are multiplied once forward and twice backward, and so are the scores. Looking an embedding up multiplies nothing.
 */
export function executedFlopsPerToken(config: MptConfig, blocks = causalBlocks(config.maxLength)): number {
  const { dModel: d, layers: L, maxLength: T, vocabSize: V, expansion } = config;
  const matrices = L * (4 + 2 * expansion) * d * d + V * d;
  return 6 * matrices + (12 * L * d * T * (blocks + 1)) / (2 * blocks);
}

export function pretrainingFlops(config: MptConfig, tokens: number, convention: FlopsConvention): number {
  return flopsPerToken(config, convention) * tokens;
}

export interface FlopsReport {
  readonly params: number;
  readonly paramsNonEmbedding: number;
  readonly tokens: number;
  readonly flops: Readonly<Record<FlopsConvention, number>>;
}

/** The pretraining FLOPs of a model on so many tokens, under every convention. */
export function reportFlops(config: MptConfig, tokens: number): FlopsReport {
  const { total, nonEmbedding } = countParameters(config);
  const flops = CONVENTIONS.map(
    convention => [convention, pretrainingFlops(config, tokens, convention)] as const,
  );
  return {
    params: total,
    paramsNonEmbedding: nonEmbedding,
    tokens,
    flops: Object.fromEntries(flops) as Record<FlopsConvention, number>,
  };
}
