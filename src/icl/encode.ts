/** From prompts to tokens: a leading space where the tokenizer wants one, contexts cut at the left to fit the model. */
import { InputError } from '../base/index.ts';
import type { Tokenizer } from '../tokenizer/index.ts';
import type { Prompt } from './prompt.ts';
import type { PromptStyle } from './settings.ts';

/** Tokens of which those from `start` on are to be scored: (T), 1 <= start < T. */
export interface ScoreRequest {
  readonly tokens: Int32Array;
  readonly start: number;
}

export interface EncodedOption extends ScoreRequest {
  /** UTF-8 bytes of the continuation, leading space included. */
  readonly bytes: number;
  /** Were tokens of the context dropped? */
  readonly trimmed: boolean;
  /** Were tokens of the continuation dropped, because it alone is longer than the model reads? */
  readonly cut: boolean;
}

export interface EncodeSettings {
  readonly style: PromptStyle;
  /** Most tokens of context and continuation together. */
  readonly contextTokens: number;
  /** Names the task in messages. */
  readonly name: string;
}

/** Does ` a` make one token? Then continuations begin with a space, or their first token would be an uncommon one. */
export async function wantsLeadingSpace(tokenizer: Tokenizer): Promise<boolean> {
  return (await tokenizer.encode(' a')).length === 1;
}

/** Texts to ids, each different text once. */
export class TextIds {
  readonly #ids: ReadonlyMap<string, Uint32Array>;

  private constructor(ids: ReadonlyMap<string, Uint32Array>) {
    this.#ids = ids;
  }

  static async of(texts: Iterable<string>, tokenizer: Tokenizer): Promise<TextIds> {
    const distinct = [...new Set(texts)];
    const { ids, offsets } = await tokenizer.encodeBatch(distinct);
    return new TextIds(
      new Map(distinct.map((text, i) => [text, ids.subarray(offsets[i]!, offsets[i + 1]!)])),
    );
  }

  get(text: string): Uint32Array {
    return this.#ids.get(text)!;
  }
}

/** The options of many prompts as tokens: for each prompt a list. */
export async function encodePrompts(
  prompts: readonly Prompt[],
  tokenizer: Tokenizer,
  settings: EncodeSettings,
): Promise<EncodedOption[][]> {
  const leadingSpace = await wantsLeadingSpace(tokenizer);
  const spaced = (text: string) => (leadingSpace && !text.startsWith(' ') ? ` ${text}` : text);
  const texts = function* () {
    for (const { preamble, options } of prompts) {
      yield preamble;
      for (const { context, continuation } of options) yield* [context, spaced(continuation)];
    }
  };
  const ids = await TextIds.of(texts(), tokenizer);
  const encoded: EncodedOption[][] = [];
  for (const { preamble, options } of prompts) {
    const before = ids.get(preamble);
    const own = options.map(({ context, continuation }) => {
      const text = spaced(continuation);
      return join([before, ids.get(context)], ids.get(text), text, tokenizer, settings);
    });
    encoded.push(await Promise.all(own));
  }
  return encoded;
}

/** Prompts of generation as tokens, cut at the left to leave room for `newTokens`: for each prompt its tokens. */
export async function encodeContexts(
  prompts: readonly Prompt[],
  tokenizer: Tokenizer,
  room: number,
): Promise<{ readonly tokens: Int32Array; readonly trimmed: boolean }[]> {
  const ids = await TextIds.of(
    prompts.flatMap(({ preamble, options }) => [preamble, options[0]!.context]),
    tokenizer,
  );
  return prompts.map(({ preamble, options }) =>
    lastTokens([ids.get(preamble), ids.get(options[0]!.context)], room, tokenizer),
  );
}

async function join(
  context: readonly Uint32Array[],
  continuation: Uint32Array,
  text: string,
  tokenizer: Tokenizer,
  { style, contextTokens, name }: EncodeSettings,
): Promise<EncodedOption> {
  const cut = continuation.length > contextTokens - 1;
  if (cut && style === 'llm-foundry')
    throw new InputError(
      name,
      `an answer of ${continuation.length} tokens does not fit into ${contextTokens}: ${JSON.stringify(text.slice(0, 60))}; give a longer context, or leave the task out`,
    );
  const kept = cut ? continuation.subarray(0, contextTokens - 1) : continuation;
  const { tokens: before, trimmed } = lastTokens(context, contextTokens - kept.length, tokenizer);
  const tokens = new Int32Array(before.length + kept.length);
  tokens.set(before);
  tokens.set(kept, before.length);
  const bytes = Buffer.byteLength(cut ? await tokenizer.decode(kept) : text);
  return { tokens, start: before.length, bytes, trimmed, cut };
}

/**
 * The last `room` >= 1 tokens of the parts in a row. There is always one, for the first token of a continuation needs something to be
 * predicted from: an empty context is the end-of-text token, after which every text of pretraining begins.
 */
function lastTokens(
  parts: readonly Uint32Array[],
  room: number,
  tokenizer: Tokenizer,
): { readonly tokens: Int32Array; readonly trimmed: boolean } {
  const all = parts.flatMap(part => [...part]);
  if (all.length === 0) return { tokens: Int32Array.of(tokenizer.eosId), trimmed: false };
  return { tokens: Int32Array.from(all.slice(-room)), trimmed: all.length > room };
}
