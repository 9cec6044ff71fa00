/** An embedder directory with random weights of a named size: what both sides of a race load. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { graph } from 'isoflop';
import { models, nn, tokenizer } from 'isoflop';

/** Trains a tokenizer of `vocabSize` tokens on the texts and writes the directory. */
export async function writeRandomEmbedder(
  folder: string,
  size: string,
  texts: readonly string[],
  settings: Partial<models.EmbedderSettings>,
  vocabSize = 4096,
): Promise<models.MptConfig> {
  mkdirSync(folder, { recursive: true });
  const trained = await tokenizer.trainTokenizer(once(texts), { vocabSize, workers: 1 });
  const tokenizerPath = join(folder, 'tokenizer.source.json');
  writeFileSync(tokenizerPath, trained.json);
  const config = models.requireNamedMpt(size, { vocabSize: trained.vocabSize });
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
