/** A tiny model with random weights, its tokenizer, and texts: for tests. */
import { Rng } from '../base/index.ts';
import type { Tensor } from '../graph/index.ts';
import { type MptConfig, mptConfig, mptParameters } from '../models/index.ts';
import { initialize } from '../nn/index.ts';
import { Tokenizer, trainTokenizer } from '../tokenizer/index.ts';
import type { IclModel } from './evaluate.ts';

export const WORDS =
  'the quick brown fox jumps over a lazy dog and runs through green fields while seven wise owls watch in silence'.split(
    ' ',
  );

/** 1 to `most` words. */
export function sentence(rng: Rng, most: number): string {
  return Array.from({ length: 1 + rng.int(most) }, () => WORDS[rng.int(WORDS.length)]!).join(' ');
}

export async function tinyTokenizer(): Promise<Tokenizer> {
  const rng = Rng.from(3, 'tokenizer text');
  const texts = Array.from({ length: 400 }, () => sentence(rng, 12));
  const { json } = await trainTokenizer(
    (async function* () {
      yield texts;
    })(),
    { vocabSize: 320 },
  );
  return Tokenizer.fromJson(json);
}

/** Weights three times as large as those training begins with, so that probabilities are far from equal. */
export function tinyModel(tokenizer: Tokenizer, shape: Partial<MptConfig> = {}): IclModel {
  const config = mptConfig({
    ...{ dModel: 24, heads: 3, layers: 2, vocabSize: tokenizer.vocabSize, maxLength: 64 },
    ...shape,
  });
  const weights = new Map<string, Tensor>(
    mptParameters(config).map(({ name, shape: dims, initializer }) => {
      const length = dims.reduce((n, dim) => n * dim, 1);
      const data = initialize(name, length, initializer, 17);
      if (dims.length > 1) for (let i = 0; i < length; i++) data[i] = data[i]! * 3;
      return [name, { dtype: 'float32', shape: dims, data }];
    }),
  );
  return { config, weights };
}
