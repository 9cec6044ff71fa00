/**
 * isoflop's side of bench/peers/embedder_sentence_transformers.py.
 *
 *     node build/bench/embedder.js write DIR    makes an embedder with random weights there and prints its vectors as JSON
 *     node build/bench/embedder.js encode DIR   prints the vectors of an embedder that is there already
 */
import { data, dense, models, prettyJson, Rng } from 'isoflop';
import { writeRandomEmbedder } from './random-embedder.ts';

const SETTINGS: models.EmbedderSettings = {
  ...models.DEFAULT_EMBEDDER,
  maxQueryTokens: 96,
  maxPassageTokens: 96,
};

const [command, folder] = process.argv.slice(2);
if (folder === undefined || (command !== 'write' && command !== 'encode'))
  throw new Error('usage: embedder write|encode DIR');
const wordnet = await data.loadWordNet();
const rng = Rng.from(17, 'embedder');
const documents = data.wordnetDocuments(wordnet);
const texts = Array.from({ length: 200 }, () => documents[rng.int(documents.length)]!);
texts.push('', 'a', 'Gr\u00fc\u00dfe, \u4e16\u754c \u{1f600}', documents.slice(0, 40).join(' ')); // empty, short, not English, too long
if (command === 'write')
  await writeRandomEmbedder({
    ...{ folder, settings: SETTINGS, texts: documents.slice(0, 20_000), vocabSize: 1000 },
    configOf: vocabSize => models.mptConfig({ dModel: 96, heads: 6, layers: 4, vocabSize, maxLength: 64 }),
  });
const encoder = await dense.Encoder.open(folder);
const rows = async (role: dense.Role) => {
  const vectors = await encoder.encode(texts, role);
  return texts.map((_, i) => [...vectors.subarray(i * encoder.dimension, (i + 1) * encoder.dimension)]);
};
process.stdout.write(prettyJson({ texts, queries: await rows('query'), passages: await rows('passage') }));
