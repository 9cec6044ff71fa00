import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError, sha256 } from '../base/index.ts';
import { ALPHABET, BYTE_TO_CHAR } from './byte-alphabet.ts';
import { batchesOf, trainedJson } from './testing.ts';
import { type TrainTokenizerOptions, trainTokenizer } from './train.ts';
import { WordCounts } from './word-counts.ts';

interface Golden {
  readonly file: {
    readonly sha256: string;
    readonly vocabSize: number;
    readonly minFrequency: number;
    readonly merges: readonly string[];
    readonly vocabulary: readonly string[];
  };
  readonly random: readonly {
    readonly texts: readonly string[];
    readonly vocabSize: number;
    readonly minFrequency: number;
    readonly merges: readonly string[];
  }[];
}

interface Trained {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly string[] };
}

const fromRoot = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
const golden = JSON.parse(await fromRoot('tests/golden/bpe.golden.json')) as Golden;

async function train(texts: readonly string[], options: Partial<TrainTokenizerOptions>): Promise<Trained> {
  const { json } = await trainTokenizer(batchesOf(texts), { vocabSize: 300, workers: 1, ...options });
  return JSON.parse(json) as Trained;
}

test('the reference trainer learns the same merges and ids from the same text', async () => {
  const text = await fromRoot('LICENSE');
  const { vocabSize, minFrequency, ...expected } = golden.file;
  assert.equal(
    sha256(text),
    expected.sha256,
    'the golden file was made from another text: run bpe_golden.py',
  );
  const { model } = await train([text], { vocabSize, minFrequency });
  assert.deepEqual(model.merges, expected.merges);
  assert.deepEqual(model.vocab, Object.fromEntries(expected.vocabulary.map((token, id) => [token, id])));
});

test('ties are broken as the reference breaks them', async () => {
  for (const { texts, merges, ...options } of golden.random) {
    const { model } = await train(texts, options);
    assert.deepEqual(model.merges, merges, JSON.stringify(texts));
  }
});

/** Counts all pairs of all words anew for every merge. */
function naiveMerges(words: readonly string[], vocabSize: number): string[] {
  const ids = new Map(ALPHABET.map((byte, rank) => [BYTE_TO_CHAR[byte]!, rank]));
  let corpus = words.map(word => [...word]);
  const merges: string[] = [];
  while (ids.size + 2 < vocabSize) {
    const counts = new Map<string, number>();
    for (const word of corpus)
      for (let i = 1; i < word.length; i++) {
        const pair = `${word[i - 1]} ${word[i]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    const order = (pair: string) => pair.split(' ').map(token => ids.get(token)!) as [number, number];
    const best = [...counts.keys()].sort(
      (a, b) => counts.get(b)! - counts.get(a)! || order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1],
    )[0];
    if (best === undefined) break;
    const [left, right] = best.split(' ');
    merges.push(best);
    ids.set(left! + right!, ids.size);
    corpus = corpus.map(word => {
      const merged: string[] = [];
      for (let i = 0; i < word.length; i++)
        merged.push(word[i] === left && word[i + 1] === right ? word[i]! + word[++i]! : word[i]!);
      return merged;
    });
  }
  return merges;
}

test('counting pairs merge by merge equals counting them anew', async () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 259, max: 300 }),
      async (words, vocabSize) => {
        const { model } = await train(words, { vocabSize, minFrequency: 1 });
        assert.deepEqual(model.merges, naiveMerges(words, vocabSize));
      },
    ),
    { numRuns: 200 },
  );
});

test('the number of threads and the batches of documents make no difference', async () => {
  const license = await fromRoot('LICENSE');
  const texts = Array.from({ length: 40 }, (_, i) => license.slice(i * 100, i * 311 + 5000)).filter(
    t => t !== '',
  );
  const one = await trainTokenizer(batchesOf(texts), { vocabSize: 700, workers: 1 });
  const many = await trainTokenizer(batchesOf(texts.slice(0, 7), [], texts.slice(7)), {
    vocabSize: 700,
    workers: 3,
  });
  assert.deepEqual(many, one);
});

test('special tokens have the first ids, then the bytes', async () => {
  const { model, added_tokens } = await train(['aa aa'], {});
  assert.deepEqual(
    added_tokens.map(token => token.id),
    [0, 1],
  );
  assert.equal(model.vocab['<|endoftext|>'], 0);
  assert.equal(model.vocab['<|padding|>'], 1);
  assert.equal(model.vocab['!'], 2);
  assert.equal(model.vocab['aa'], 258);
});

test('a corpus with too few pairs gives a smaller vocabulary, and says so', async () => {
  const trained = await trainTokenizer(batchesOf(['ab ab']), { vocabSize: 1000, workers: 1 });
  assert.equal(trained.vocabSize, 259);
  assert.equal(trained.documents, 1);
  assert.equal(trained.bytes, 5);
});

test('bad sizes, bad special tokens and no text are refused', async () => {
  await assert.rejects(train(['a'], { vocabSize: 257 }), /257 is not a whole number from 258/);
  await assert.rejects(train(['a'], { vocabSize: 2 ** 30 }), InputError);
  await assert.rejects(train(['a'], { specialTokens: ['<s>', '<s>'] }), /named twice/);
  await assert.rejects(train(['a'], { specialTokens: ['a'] }), InputError);
  await assert.rejects(train([], {}), /empty/);
});

test('pruning keeps the most frequent words and their counts', () => {
  const words = new WordCounts();
  const text = new TextEncoder().encode('a a a b b cc cc d e f');
  words.addText(text, 0, text.length);
  assert.equal(words.prune(100), 0);
  const { size } = words; // a, " a", " b", " cc", " d", " e", " f"
  assert.equal(size, 7);
  assert.equal(words.prune(4), 4); // four words occur once: to forget one of them is to forget all
  const { arena, starts, counts } = words.contents();
  const kept = [...counts].map((count, i) => [
    Buffer.from(arena.subarray(starts[i]!, starts[i + 1]!)).toString(),
    count,
  ]);
  assert.deepEqual(kept, [
    [' a', 2],
    [' b', 2],
    [' cc', 2],
  ]);
});

test('a corpus of more distinct words than fit is learned from its frequent ones', async () => {
  const noise = Array.from({ length: 5000 }, (_, i) => `${(i * 7919).toString(36)}x${i}`).join(' ');
  const batches = batchesOf(['the cat '.repeat(1000)], [noise]);
  const trained = await trainTokenizer(batches, { vocabSize: 262, workers: 1, maxWords: 100 });
  assert.ok(trained.forgottenWords > 4000);
  assert.ok((await trainedJson(['the cat '.repeat(1000)], 262)).includes('cat'));
  assert.ok(trained.json.includes('"Ġcat"'));
});
