/**
 * A synthetic collection with the size and term statistics of MS MARCO's passages, made on the fly from a seed, never stored:
 *
 *     node build/bench/bm25Synthetic.js 100000 > corpus.jsonl
 *
 * MS MARCO has 8,841,823 passages of about 56 words; Lucene's English analyzer leaves 352,316,036 tokens (39.8 a passage) of 2,660,824
 * distinct terms (Anserini's index statistics). Here: 29% of the words are stopwords; the others follow a two-regime Zipf law
 * (Ferrer i Cancho & Sole 2001), p(r) ~ 1/(r + 20) up to rank `TAIL` and ~ r^-1.8 after it, and a fifth of them repeat an
 * earlier word of their passage, as topical words do. Lengths are log-normal.
 */
import { fileURLToPath } from 'node:url';
import { Rng } from '#src/base/index.js';
import type { DocumentBatch } from '#src/bm25/index.js';

export const MS_MARCO_PASSAGES = 8_841_823;

const SEED = 17;
const BATCH = 1000;
const STOPWORD_SHARE = 0.29;
const REPEAT_SHARE = 0.2;
const OFFSET = 20;
const TAIL = 30_000;
const TAIL_EXPONENT = 1.8;
const LONGEST_RANK = 2 ** 31;

/** English's most frequent words that are also Lucene stopwords, with their rough shares. */
const STOPWORDS = `
  the 60, of 32, and 28, to 26, a 24, in 22, is 16, for 10, that 10, it 9, on 7, are 7, as 7, with 7, be 6, or 5,
  by 5, this 5, an 4, at 4, not 4, was 4, will 3, if 3, they 2, their 2, but 2, there 1`
  .split(',')
  .map(entry => entry.trim().split(' '))
  .flatMap(([word, share]) => Array<string>(Number(share)).fill(word!));

/** Probability that a content word is of the first regime. */
const HEAD_MASS = Math.log((TAIL + OFFSET) / OFFSET);
const TAIL_MASS = 1 / (TAIL_EXPONENT - 1);
const HEAD_SHARE = HEAD_MASS / (HEAD_MASS + TAIL_MASS);

function contentRank(rng: Rng): number {
  if (rng.uniform() < HEAD_SHARE) return Math.floor(OFFSET * Math.exp(HEAD_MASS * rng.uniform())) - OFFSET;
  const rank = TAIL * (1 - rng.uniform()) ** (-1 / (TAIL_EXPONENT - 1));
  return Math.floor(Math.min(rank, LONGEST_RANK));
}

const SYLLABLES = [...'bcdfghjklmnprstvwxz'].flatMap(consonant =>
  [...'aeiou'].map(vowel => consonant + vowel),
);
const cache: string[] = [];

/** The word of a rank: syllables and a final k, which no stemmer takes for a suffix. */
export function wordOf(rank: number): string {
  let word = cache[rank];
  if (word !== undefined) return word;
  word = '';
  for (let rest = rank + 1; rest > 0; ) {
    rest--;
    word = SYLLABLES[rest % SYLLABLES.length]! + word;
    rest = Math.floor(rest / SYLLABLES.length);
  }
  word += 'k';
  if (rank === cache.length) cache.push(word);
  return word;
}

/** The words of a passage, in order, without capitals and full stops. */
function passageWords(rng: Rng): string[] {
  const length = Math.max(3, Math.round(56 * Math.exp(0.42 * rng.normal() - 0.088)));
  const said: string[] = [];
  const content: string[] = [];
  while (said.length < length) {
    if (rng.uniform() < STOPWORD_SHARE) {
      said.push(STOPWORDS[rng.int(STOPWORDS.length)]!);
      continue;
    }
    const repeats = content.length > 0 && rng.uniform() < REPEAT_SHARE;
    const word = repeats ? content[rng.int(content.length)]! : wordOf(contentRank(rng));
    content.push(word);
    said.push(word);
  }
  return said;
}

function passageText(said: readonly string[]): string {
  let text = '';
  for (let i = 0; i < said.length; i++) {
    const word = said[i]!;
    text += i % 12 === 0 ? (i === 0 ? '' : '. ') + word[0]!.toUpperCase() + word.slice(1) : ` ${word}`;
  }
  return `${text}.`;
}

/** Passages `BATCH * batch` and following: any batch can be made by itself. */
export function syntheticBatch(batch: number, size = BATCH): DocumentBatch {
  const rng = Rng.from(SEED, 'passages', batch);
  const ids = Array.from({ length: size }, (_, i) => String(batch * BATCH + i));
  return { ids, texts: ids.map(() => passageText(passageWords(rng))) };
}

export async function* syntheticCorpus(documents: number): AsyncGenerator<DocumentBatch> {
  for (let first = 0; first < documents; first += BATCH)
    yield syntheticBatch(first / BATCH, Math.min(BATCH, documents - first));
}

/** A query, and the number of the passage it was made of. */
export interface SyntheticPair {
  readonly query: string;
  readonly passage: number;
}

/** 3 to 8 distinct words that are no stopwords, of a random one of these passages each. */
export function syntheticPairs(count: number, documents: number): SyntheticPair[] {
  const rng = Rng.from(SEED, 'queries', documents);
  const stopwords = new Set(STOPWORDS);
  return Array.from({ length: count }, () => {
    const passage = rng.int(documents);
    const text = syntheticBatch(Math.floor(passage / BATCH), (passage % BATCH) + 1).texts.at(-1)!;
    return { query: queryOf(text, stopwords, rng), passage };
  });
}

export function syntheticQueries(count: number, documents: number): string[] {
  return syntheticPairs(count, documents).map(({ query }) => query);
}

/** A query made of a passage: 3 to 8 of its distinct words, stopwords left out; fewer where it has fewer. */
export function queryOf(text: string, stopwords: ReadonlySet<string>, rng: Rng): string {
  const words = [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])].filter(
    w => !stopwords.has(w),
  );
  return rng
    .shuffle(words)
    .slice(0, 3 + rng.int(6))
    .join(' ');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const documents = Number(process.argv[2] ?? 1000);
  for await (const { ids, texts } of syntheticCorpus(documents)) {
    const lines = ids.map((id, i) => `${JSON.stringify({ _id: id, title: '', text: texts[i] })}\n`).join('');
    if (!process.stdout.write(lines)) await new Promise(resolve => process.stdout.once('drain', resolve));
  }
}
