/**
 * Trains a byte-level BPE tokenizer: GPT-NeoX's pre-tokenisation, special tokens first, then the 256 bytes, then merges.
 * Deterministic: the same documents give the same file, however many threads.
 * DEVIATION: no normaliser, unlike GPT-NeoX's NFC, so that every text comes back byte for byte.
 */
import { availableParallelism } from 'node:os';
import { InputError } from '../base/index.ts';
import { ALPHABET, BYTE_TO_CHAR } from './byte-alphabet.ts';
import { countWords } from './count-words.ts';
import { learnMerges } from './learn-merges.ts';
import { byteLevelJson } from './tokenizer-json.ts';

/** GPT-NeoX's: end of text has id 0, padding has id 1. */
export const DEFAULT_SPECIAL_TOKENS: readonly string[] = ['<|endoftext|>', '<|padding|>'];

export interface TrainTokenizerOptions {
  /** Tokens in all, special ones and bytes included. Fewer come out if the text has too few frequent pairs. */
  readonly vocabSize: number;
  readonly specialTokens?: readonly string[];
  /** Pairs that are rarer than this are never merged (default 2). */
  readonly minFrequency?: number;
  /** Threads that count words (default: as many as there are cores). Makes no difference to the result. */
  readonly workers?: number;
  /** Distinct words held in memory (default 4 million, about 1 GB in all); beyond, the rarest are forgotten. */
  readonly maxWords?: number;
  /** Called with the documents and the UTF-8 bytes read so far. */
  readonly onProgress?: (documents: number, bytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface TrainedTokenizer {
  /** The text of `tokenizer.json`. */
  readonly json: string;
  readonly vocabSize: number;
  readonly merges: number;
  readonly documents: number;
  /** UTF-8 bytes of text read. */
  readonly bytes: number;
  readonly distinctWords: number;
  readonly forgottenWords: number;
}

export async function trainTokenizer(
  documents: AsyncIterable<readonly string[]>,
  options: TrainTokenizerOptions,
): Promise<TrainedTokenizer> {
  const specialTokens = options.specialTokens ?? DEFAULT_SPECIAL_TOKENS;
  checkSizes(options.vocabSize, specialTokens);
  const { words, forgotten, ...read } = await countWords(documents, {
    workers: options.workers ?? availableParallelism(),
    maxWords: options.maxWords ?? 1 << 22,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  if (words.size === 0) throw new InputError('text', 'the corpus is empty: there is nothing to learn from');
  const spellings = [...specialTokens, ...ALPHABET.map(byte => BYTE_TO_CHAR[byte]!)];
  const byteIds = new Int32Array(256);
  ALPHABET.forEach((byte, rank) => {
    byteIds[byte] = specialTokens.length + rank;
  });
  const merges = learnMerges(
    words,
    { spellings, byteIds },
    { vocabSize: options.vocabSize, minFrequency: options.minFrequency ?? 2 },
  );
  return {
    json: byteLevelJson(spellings, merges, specialTokens.length),
    vocabSize: spellings.length,
    merges: merges.length,
    ...read,
    distinctWords: words.size,
    forgottenWords: forgotten,
  };
}

/** Ids are stored in 32-bit arrays, and a few million tokens is more than anybody trains. */
const MAX_VOCAB = 1 << 22;

function checkSizes(vocabSize: number, specialTokens: readonly string[]): void {
  const least = specialTokens.length + ALPHABET.length;
  if (!Number.isInteger(vocabSize) || vocabSize < least || vocabSize > MAX_VOCAB) {
    throw new InputError(
      'vocabulary size',
      `${vocabSize} is not a whole number from ${least} (256 bytes and ${specialTokens.length} special tokens) to ${MAX_VOCAB}`,
    );
  }
  const [bytes, seen] = [new Set(BYTE_TO_CHAR), new Set<string>()];
  for (const token of specialTokens) {
    if (token === '' || bytes.has(token) || seen.has(token) || /\p{Cs}/u.test(token))
      throw new InputError(
        'special tokens',
        `${JSON.stringify(token)} is empty, named twice, broken Unicode or the spelling of a byte`,
      );
    seen.add(token);
  }
}
