/** Training pairs as tokens, in a few flat arrays: 500,000 pairs with 15 negatives each take about a gigabyte. */
import { hashOf, InputError, Rng, sha256, withRoom } from '../base/index.ts';
import type { PairRecord } from '../data/index.ts';
import type { EmbedderSettings } from '../models/index.ts';
import type { Tokenizer } from '../tokenizer/index.ts';
import type { TokenizedGroup } from './contrastive-batch.ts';

/** A growing array of numbers. */
class Grower<A extends Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>> {
  array: A;
  length = 0;

  constructor(empty: A) {
    this.array = empty;
  }

  push(values: ArrayLike<number>): void {
    this.array = withRoom(this.array, this.length + values.length);
    this.array.set(values, this.length);
    this.length += values.length;
  }
}

/** Ranges of texts that belong to one pair. */
interface PairTexts {
  readonly query: number;
  readonly firstPositive: number;
  readonly firstNegative: number;
  readonly end: number;
}

export class TokenizedPairs {
  readonly #tokens: Grower<Uint16Array<ArrayBuffer>> | Grower<Uint32Array<ArrayBuffer>>;
  /** Text i is tokens offsets[i] .. offsets[i + 1]. */
  readonly #offsets = new Grower(new Float64Array(0));
  readonly #hashes = new Grower(new Float64Array(0));
  /** Pair i: its query's text, then its positives from `starts[2i]`, its negatives from `starts[2i + 1]`, up to the next pair's query. */
  readonly #starts = new Grower(new Float64Array(0));
  readonly #queries = new Grower(new Float64Array(0));

  #mostNegatives = 0;

  private constructor(vocabSize: number) {
    this.#tokens = vocabSize <= 65_536 ? new Grower(new Uint16Array(0)) : new Grower(new Uint32Array(0));
    this.#offsets.push([0]);
  }

  /** Tokenises all pairs. `where` names their source in errors. */
  static async build(
    pairs: AsyncIterable<readonly PairRecord[]>,
    tokenizer: Tokenizer,
    settings: EmbedderSettings,
    where: string,
    onProgress: (pairs: number) => void = () => {},
  ): Promise<TokenizedPairs> {
    const result = new TokenizedPairs(tokenizer.vocabSize);
    for await (const block of pairs) {
      for (let from = 0; from < block.length; from += PAIRS_AT_ONCE) {
        await result.#add(block.slice(from, from + PAIRS_AT_ONCE), tokenizer, settings);
        onProgress(result.count);
      }
    }
    if (result.count === 0) throw new InputError(where, 'holds no training pairs');
    return result;
  }

  get count(): number {
    return this.#queries.length;
  }

  /** Negatives of the pair that has most. */
  get mostNegatives(): number {
    return this.#mostNegatives;
  }

  /** Texts of all pairs. */
  get texts(): number {
    return this.#offsets.length - 1;
  }

  /** Of all tokens, text by text. */
  get sha256(): string {
    return hashOf(
      [this.#tokens, this.#offsets, this.#starts].map(({ array, length }) => {
        const used = array.subarray(0, length);
        return sha256(new Uint8Array(used.buffer, used.byteOffset, used.byteLength));
      }),
    );
  }

  async #add(block: readonly PairRecord[], tokenizer: Tokenizer, settings: EmbedderSettings): Promise<void> {
    const { queryPrefix, passagePrefix, maxQueryTokens, maxPassageTokens, appendEos } = settings;
    const encode = (texts: readonly string[], maxTokens: number) =>
      tokenizer.encodeBatch(texts, { maxTokens, addEos: appendEos });
    const queries = await encode(
      block.map(({ query, prompt }) => (prompt ?? queryPrefix) + query),
      maxQueryTokens,
    );
    const passages = await encode(
      block.flatMap(({ pos, neg }) => [...pos, ...neg].map(text => passagePrefix + text)),
      maxPassageTokens,
    );
    let passage = 0;
    const pushText = ({ ids, offsets }: typeof queries, i: number) => {
      const own = ids.subarray(offsets[i]!, offsets[i + 1]!);
      this.#tokens.push(own);
      this.#offsets.push([this.#tokens.length]);
      this.#hashes.push([hashTokens(own)]);
    };
    block.forEach(({ pos, neg }, i) => {
      this.#mostNegatives = Math.max(this.#mostNegatives, neg.length);
      this.#queries.push([this.texts]);
      pushText(queries, i);
      this.#starts.push([this.texts, this.texts + pos.length]);
      for (let k = 0; k < pos.length + neg.length; k++) pushText(passages, passage++);
    });
  }

  #pair(i: number): PairTexts {
    return {
      query: this.#queries.array[i]!,
      firstPositive: this.#starts.array[2 * i]!,
      firstNegative: this.#starts.array[2 * i + 1]!,
      end: i + 1 < this.count ? this.#queries.array[i + 1]! : this.texts,
    };
  }

  #text(i: number): Uint32Array {
    return Uint32Array.from(
      this.#tokens.array.subarray(this.#offsets.array[i]!, this.#offsets.array[i + 1]!),
    );
  }

  /**
   * A pair as the batch wants it: one of its positives and at most `negatives` of its negatives. Where there is a choice it is drawn by seed,
   * epoch and pair, so it does not depend on the order of pairs.
   */
  group(i: number, negatives: number, seed: number, epoch: number): TokenizedGroup {
    const { query, firstPositive, firstNegative, end } = this.#pair(i);
    const positives = firstNegative - firstPositive;
    const available = end - firstNegative;
    const rng = Rng.from(seed, 'pair', epoch, i);
    const positive = firstPositive + (positives > 1 ? rng.int(positives) : 0);
    const chosen =
      available > negatives
        ? [...rng.permutation(available).subarray(0, negatives)].sort((a, b) => a - b)
        : range(available);
    const passages = [positive, ...chosen.map(k => firstNegative + k)];
    return {
      query: this.#text(query),
      passages: passages.map(text => this.#text(text)),
      relevant: new Set(range(positives).map(k => this.#hashes.array[firstPositive + k]!)),
      passageHashes: passages.map(text => this.#hashes.array[text]!),
    };
  }
}

const PAIRS_AT_ONCE = 256;

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** 53 bits of a text's tokens: equal texts have equal hashes, and two of a batch are never equal by accident. */
function hashTokens(tokens: ArrayLike<number>): number {
  let [a, b] = [0x9e3779b9, 0x243f6a88];
  for (let i = 0; i < tokens.length; i++) {
    a = Math.imul(a ^ tokens[i]!, 0x85ebca6b);
    b = Math.imul(b ^ tokens[i]!, 0xc2b2ae35);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  return (a >>> 0) * 2 ** 21 + ((b >>> 0) & 0x1fffff);
}
