/** Greedy decoding. */
import type { Tokenizer } from '../tokenizer/index.ts';
import type { ScoreEffects, Scorer } from './scorer.ts';

export interface GenerateOptions {
  readonly maxNewTokens: number;
  /** Ends a text, as the end-of-text token does. The text returned still holds it. */
  readonly stops: readonly string[];
}

/**
 * The most likely continuation, token by token, of many prompts. There is no cache of keys and values: every step reads the whole text again,
 * which costs `maxNewTokens` passes and suits the small models and short answers of this laboratory.
 */
export async function generate(
  scorer: Scorer,
  tokenizer: Tokenizer,
  prompts: readonly Int32Array[],
  { maxNewTokens, stops }: GenerateOptions,
  effects: ScoreEffects = {},
): Promise<string[]> {
  const written: number[][] = prompts.map(() => []);
  const outputs = prompts.map(() => '');
  const eosId = tokenizer.hasEos ? tokenizer.eosId : undefined;
  let open = prompts.map((_, i) => i);
  for (let step = 0; step < maxNewTokens && open.length > 0; step++) {
    const sequences = open.map(i => Int32Array.of(...prompts[i]!, ...written[i]!));
    const next = await scorer.next(sequences, effects);
    const going: number[] = [];
    for (const [k, i] of open.entries()) {
      if (next[k] === eosId) continue;
      written[i]!.push(next[k]!);
      if (stops.length > 0) outputs[i] = await tokenizer.decode(written[i]!);
      if (!stops.some(stop => outputs[i]!.includes(stop))) going.push(i);
    }
    open = going;
  }
  return Promise.all(written.map(ids => tokenizer.decode(ids)));
}
