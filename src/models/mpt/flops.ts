/** Pretraining FLOPs under the conventions of the literature. The convention belongs to every number and every axis label. */
import { InputError } from '../../base/index.ts';
import type { MptConfig } from './config.ts';
import { countParameters } from './parameters.ts';

/**
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

export function pretrainingFlops(config: MptConfig, tokens: number, convention: FlopsConvention): number {
  return flopsPerToken(config, convention) * tokens;
}
