/** A pretraining run small enough for tests: a model of a few thousand parameters on made-up text. */
import { graph, models, type train } from 'isoflop';

export const tinyModel = models.mptConfig({ dModel: 16, heads: 2, layers: 2, vocabSize: 64, maxLength: 16 });

/** Sequences that repeat with a period of 7, so that there is something to learn. */
function sequences(first: number, rows: number): Int32Array {
  const width = tinyModel.maxLength + 1;
  return Int32Array.from(
    { length: rows * width },
    (_, i) => ((i % width) * 5 + ((first + Math.floor(i / width)) % 7) * 3) % 64,
  );
}

export const tinyText: train.TrainingText = {
  sequences: 100,
  batch: (step, rows) => ({ tokens: sequences(step * rows, rows), epoch: Math.floor((step * rows) / 100) }),
};

export const tinyHeldOut: train.HeldOutText = {
  length: tinyModel.maxLength,
  bytesPerToken: 3,
  *inOrder(rows) {
    for (let i = 0; i < 3; i++) yield { tokens: sequences(1000 + i * rows, rows), rows };
  },
};

/** A tokenizer.json with 64 made-up tokens: models need one beside them. */
export const tinyTokenizer = {
  version: '1.0',
  added_tokens: [
    {
      id: 0,
      content: '<|endoftext|>',
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    },
  ],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(
      Array.from({ length: 64 }, (_, i) => [i === 0 ? '<|endoftext|>' : String.fromCodePoint(0x100 + i), i]),
    ),
    merges: [],
  },
};

export function tinyOptions(
  tokenizerPath: string,
  change: Partial<train.PretrainOptions> = {},
): train.PretrainOptions {
  const step = 4 * tinyModel.maxLength;
  return {
    model: tinyModel,
    text: tinyText,
    heldOut: tinyHeldOut,
    tokenizer: { path: tokenizerPath, specialTokens: { eos: '<|endoftext|>' } },
    dataHash: 'made up',
    budgets: [6 * step],
    schedule: { kind: 'cosine', finalFactor: 0.1 },
    warmupTokens: step,
    peakLearningRate: 1e-2,
    batch: 4,
    accumulation: 1,
    maxGradNorm: 1,
    seed: 3,
    convention: '6nd',
    evaluateEveryTokens: 2 * step,
    heldOutTokens: 200,
    checkpointTokens: [],
    threads: 1,
    ...change,
  };
}

export const { numbersOf } = graph;
