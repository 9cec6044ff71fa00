/** A decoder as an embedder: the mean of its final hidden states, scaled to unit length. */
import type { Dim, Value } from '../../graph/index.ts';
import { l2Normalize, meanPool } from '../../nn/index.ts';
import type { MptConfig } from './config.ts';
import { mptHidden, type ParameterValues } from './forward.ts';

/**
 * ids (B, T) int32, lengths (B) int32 -> (B, D) of unit length. Attention stays causal and padding stands on the right, so it changes nothing.
 * `tokens` names or counts the B*T positions.
 */
export function mptEmbed(
  config: MptConfig,
  parameters: ParameterValues,
  ids: Value,
  lengths: Value,
  tokens: Dim,
): Value {
  return l2Normalize(meanPool(mptHidden(config, parameters, ids, { tokens, padded: true }), ids, lengths));
}
