/**
 * isoflop's side of bench/peers/embedder_sentence_transformers.py.
 *
 *     node build/bench/embedder.js write DIR    makes an embedder with random weights there and prints its vectors as JSON
 *     node build/bench/embedder.js encode DIR   prints the vectors of an embedder that is there already
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { data, dense, type graph, models, nn, prettyJson, Rng, tokenizer } from 'isoflop';

const SETTINGS: models.EmbedderSettings = {
  ...models.DEFAULT_EMBEDDER,
  maxQueryTokens: 96,
  maxPassageTokens: 96,
};

async function makeEmbedder(folder: string, documents: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { json, vocabSize } = await tokenizer.trainTokenizer(one(documents), { vocabSize: 1000 });
  const tokenizerPath = join(folder, 'tokenizer.source.json');
  await writeFile(tokenizerPath, json);
  const config = models.mptConfig({ dModel: 96, heads: 6, layers: 4, vocabSize, maxLength: 64 });
  const weights = new Map<string, graph.Tensor>(
    models.mptParameters(config).map(({ name, shape, initializer }) => {
      const length = shape.reduce((n, dim) => n * dim, 1);
      return [name, { dtype: 'float32', shape, data: nn.initialize(name, length, initializer, 17) }];
    }),
  );
  const specialTokens = { eos: '<|endoftext|>', pad: '<|padding|>' };
  await models.writeEmbedderDirectory(folder, {
    config,
    weights,
    tokenizerPath,
    specialTokens,
    settings: SETTINGS,
    card: '',
  });
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}

const [command, folder] = process.argv.slice(2);
if (folder === undefined || (command !== 'write' && command !== 'encode'))
  throw new Error('usage: embedder write|encode DIR');
const wordnet = await data.loadWordNet();
const rng = Rng.from(17, 'embedder');
const documents = data.wordnetDocuments(wordnet);
const texts = Array.from({ length: 200 }, () => documents[rng.int(documents.length)]!);
texts.push('', 'a', 'Gr\u00fc\u00dfe, \u4e16\u754c \u{1f600}', documents.slice(0, 40).join(' ')); // empty, short, not English, too long
if (command === 'write') await makeEmbedder(folder, documents.slice(0, 20_000));
const encoder = await dense.Encoder.open(folder);
const rows = async (role: dense.Role) => {
  const vectors = await encoder.encode(texts, role);
  return texts.map((_, i) => [...vectors.subarray(i * encoder.dimension, (i + 1) * encoder.dimension)]);
};
process.stdout.write(prettyJson({ texts, queries: await rows('query'), passages: await rows('passage') }));
