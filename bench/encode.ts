/**
 * Encoding documents of SciFact with an MPT of 16 million parameters, in turn with transformers on PyTorch: same weights, tokens, threads and batches
 * sorted by length. Tokenising is part of both.
 *
 *     ISOFLOP_DATA=... ISOFLOP_PYTHON=... node build/bench/encode.js [--size mpt-16m] [--documents 64] [--threads 1] [--rounds 3]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rng } from '#src/base/index.js';
import { docTexts, readCorpus } from '#src/data/index.js';
import { Encoder } from '#src/dense/index.js';
import { countParameters, requireNamedMpt } from '#src/models/index.js';
import { measureGemmPeak } from '#src/runtime/index.js';
import { median } from '#src/stats/index.js';
import { JsonPeer } from './json-peer.ts';
import { writeRandomEmbedder } from './random-embedder.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'mpt-16m' },
    documents: { type: 'string', default: '64' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    batch: { type: 'string', default: '2048' },
  },
});
const { ISOFLOP_DATA } = process.env;
if (ISOFLOP_DATA === undefined) throw new Error('ISOFLOP_DATA is not set: SciFact lies there');
const [threads, rounds, batchTokens] = [
  Number(options.threads),
  Number(options.rounds),
  Number(options.batch),
];

const corpus: string[] = [];
for await (const batch of readCorpus(join(ISOFLOP_DATA, 'scifact'))) corpus.push(...docTexts(batch));
const rng = Rng.from(17, 'encode');
const texts = Array.from({ length: Number(options.documents) }, () => corpus[rng.int(corpus.length)]!);

const folder = mkdtempSync(join(tmpdir(), 'isoflop-bench-encode-'));
const model = join(folder, 'model');
const config = await writeRandomEmbedder({
  folder: model,
  texts: corpus.slice(0, 2000),
  configOf: vocabSize => requireNamedMpt(options.size, { vocabSize }),
});
const encoder = await Encoder.open(model, { threads, batchTokens });
const { passagePrefix: prefix, maxPassageTokens: length } = encoder.settings;
const textsFile = join(folder, 'texts.json');
writeFileSync(textsFile, JSON.stringify(texts));
const peer = JsonPeer.start('transformers_encode.py', threads);
try {
  const { ready } = await peer.ask({ open: { model, texts: textsFile, prefix, length, threads } });
  await encoder.encode(texts.slice(0, 8), 'passage');
  await peer.ask({ encode: batchTokens, first: 8 });
  const [ours, theirs]: [number[], number[]] = [[], []];
  let [difference, tokens, theirTokens] = [0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    const before = encoder.work.tokens;
    const began = performance.now();
    const vectors = await encoder.encode(texts, 'passage');
    ours.push((performance.now() - began) / 1000);
    tokens = encoder.work.tokens - before;
    const answer = await peer.ask({ encode: batchTokens, first: null });
    theirs.push(Number(answer['seconds']));
    theirTokens = Number(answer['tokens']);
    (answer['vectors'] as number[]).forEach((value, i) => {
      difference = Math.max(difference, Math.abs(value - vectors[i]!));
    });
  }
  // Matrix products of a token: two a weight, and scores and mixing against its text's length on both sides (the causal half is computed too).
  const { nonEmbedding } = countParameters(config);
  const flopsPerToken = 2 * nonEmbedding + 4 * config.layers * config.dModel * (tokens / texts.length);
  const peak = await measureGemmPeak({ threads, now: () => performance.now() });
  console.log(
    JSON.stringify({
      ...{
        bench: 'encode',
        size: options.size,
        documents: texts.length,
        tokens,
        theirTokens,
        threads,
        torch: ready,
      },
      isoflopTokensPerSecond: Math.round(tokens / median(ours)),
      torchTokensPerSecond: Math.round(theirTokens / median(theirs)),
      timesFaster: median(theirs.map((seconds, i) => seconds / ours[i]!)),
      shareOfGemmPeak: (flopsPerToken * tokens) / median(ours) / peak,
      peakGflops: peak / 1e9,
      padding: 1 - encoder.work.tokens / encoder.work.paddedTokens,
      largestDifference: difference,
    }),
  );
} finally {
  await peer.close();
  await encoder.release();
  rmSync(folder, { recursive: true });
}
