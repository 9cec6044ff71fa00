/** From tokens to what the model is fed: sequences that fit its window, of which the last tokens are scored. */

export interface Sequence {
  readonly tokens: Uint32Array;
  /** How many tokens at the end are scored; each has at least one before it. */
  readonly scored: number;
}

/**
 * Context and answer as sequences of at most `window` tokens. The context is trimmed from the left. An answer that does not fit beside one
 * token of context is scored in pieces of half a window, each after as much as fits of what stands before it: no token is left out.
 */
export function sequencesOf(context: Uint32Array, answer: Uint32Array, window: number): Sequence[] {
  const whole = new Uint32Array(context.length + answer.length);
  whole.set(context);
  whole.set(answer, context.length);
  const piece = answer.length < window ? answer.length : Math.floor(window / 2);
  const sequences: Sequence[] = [];
  for (let from = 0; from < answer.length; from += piece) {
    const scored = Math.min(piece, answer.length - from);
    const end = context.length + from + scored;
    sequences.push({ tokens: whole.slice(Math.max(0, end - window), end), scored });
  }
  return sequences;
}
