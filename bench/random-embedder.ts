/** An embedder directory with random weights: what both sides of a race load. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { graph } from 'isoflop';
import { models, nn, tokenizer } from 'isoflop';

export interface RandomEmbedder {
  readonly folder: string;
  /** Texts to train a tokenizer on, and the size of its vocabulary (default 4,096). */
  readonly texts: readonly string[];
  readonly vocabSize?: number;
  readonly configOf: (vocabSize: number) => models.MptConfig;
  readonly settings?: Partial<models.EmbedderSettings>;
}

export async function writeRandomEmbedder(embedder: RandomEmbedder): Promise<models.MptConfig> {
  const { folder, texts, vocabSize = 4096, configOf, settings } = embedder;
  mkdirSync(folder, { recursive: true });
  const trained = await tokenizer.trainTokenizer(once(texts), { vocabSize, workers: 1 });
  const tokenizerPath = join(folder, 'tokenizer.source.json');
  writeFileSync(tokenizerPath, trained.json);
  const config = configOf(trained.vocabSize);
  const weights = new Map<string, graph.Tensor>(
    models.mptParameters(config).map(({ name, shape, initializer }) => {
      const length = shape.reduce((product, dim) => product * dim, 1);
      return [name, { dtype: 'float32', shape, data: nn.initialize(name, length, initializer, 17) }];
    }),
  );
  await models.writeEmbedderDirectory(folder, {
    ...{ config, weights, tokenizerPath, card: '' },
    specialTokens: { eos: '<|endoftext|>', pad: '<|padding|>' },
    settings: { ...models.DEFAULT_EMBEDDER, ...settings },
  });
  return config;
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}
