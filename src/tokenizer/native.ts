/** The native `tokenizers` package, loaded when first needed: its addon reads the number of its threads from the environment, once. */
import type { Tokenizer as NativeTokenizer } from 'tokenizers';
import { InputError, messageOf } from '../base/index.ts';

export type { NativeTokenizer };

/**
 * How many threads the package may use. To be called before the first tokenizer is read, in the main thread; afterwards it does nothing.
 * RAYON_NUM_THREADS in the user's environment wins. The number of threads never changes a result.
 */
export function setNativeThreads(threads: number): void {
  process.env['RAYON_NUM_THREADS'] ??= String(threads);
}

/** Builds the package's tokenizer from the text of a `tokenizer.json`. Its refusal becomes an `InputError`. */
export async function loadNative(json: string, where: string): Promise<NativeTokenizer> {
  const { Tokenizer } = await import('tokenizers');
  try {
    return Tokenizer.fromString(json);
  } catch (error) {
    throw new InputError(where, `not a tokenizer.json that can be read: ${messageOf(error)}`);
  }
}

/** Texts given to the package at once, at most: an encoding takes about a hundred bytes a token that no one counts before it is freed. */
const SLICE_TEXTS = 256;
const SLICE_CHARACTERS = 1 << 19;

/**
 * The ids of each text, without anything added. Every text must be well-formed. `where` names the tokenizer's file in the
 * `InputError` for a text that it has no token for.
 */
export async function* encodeNatively(
  native: NativeTokenizer,
  texts: readonly string[],
  where: string,
): AsyncGenerator<readonly number[]> {
  for (let from = 0; from < texts.length; ) {
    let to = from;
    for (let size = 0; to < texts.length && to - from < SLICE_TEXTS && size < SLICE_CHARACTERS; to++)
      size += texts[to]!.length;
    const encodings = await native
      .encodeBatch(texts.slice(from, to), { addSpecialTokens: false })
      .catch((error: unknown) => {
        throw new InputError(where, `cannot encode a text: ${messageOf(error)}`);
      });
    for (const encoding of encodings) yield encoding.getIds();
    from = to;
  }
}
