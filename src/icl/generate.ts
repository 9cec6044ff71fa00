/** Greedy decoding. */
import type { Tokenizer } from '../tokenizer/index.ts';
import type { Scorer } from './scorer.ts';

export interface GenerateOptions {
  readonly maxTokens: number;
  /** Most tokens the model reads at once; older ones are forgotten. */
  readonly window: number;
  readonly stopStrings: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * What the model finds most probable, token by token, until the end-of-text token, a stop string or `maxTokens`. Every step reads the whole
 * context again: there is no cache of keys and values, so long generations cost the square of their length.
 */
export async function generateGreedily(
  scorer: Scorer,
  tokenizer: Tokenizer,
  contexts: readonly Uint32Array[],
  { maxTokens, window, stopStrings, signal }: GenerateOptions,
): Promise<string[]> {
  const eos = tokenizer.hasEos ? tokenizer.eosId : -1;
  const generated = contexts.map((): number[] => []);
  let active = contexts.map((_, i) => i);
  for (let step = 0; step < maxTokens && active.length > 0; step++) {
    const read = active.map(i => lastTokens(contexts[i]!, generated[i]!, window));
    const next = await scorer.next(read, signal);
    const ended = await Promise.all(
      active.map(async (i, at) => {
        if (next[at] === eos) return true;
        generated[i]!.push(next[at]!);
        if (stopStrings.length === 0) return false;
        const text = await tokenizer.decode(generated[i]!);
        return stopStrings.some(stop => text.includes(stop));
      }),
    );
    active = active.filter((_, at) => !ended[at]);
  }
  return Promise.all(generated.map(tokens => (tokens.length === 0 ? '' : tokenizer.decode(tokens))));
}

function lastTokens(context: Uint32Array, generated: readonly number[], window: number): Uint32Array {
  const whole = new Uint32Array(context.length + generated.length);
  whole.set(context);
  whole.set(generated, context.length);
  return whole.subarray(Math.max(0, whole.length - window));
}
