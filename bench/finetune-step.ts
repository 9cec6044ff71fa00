/**
 * A finetuning step in turn with sentence-transformers' MultipleNegativesRankingLoss: same directory, pairs, lengths, negatives and threads; forward,
 * loss, backward, clipping, AdamW. Every step has the same pairs, so that the first losses can be compared.
 *
 *     ISOFLOP_DATA=... ISOFLOP_PYTHON=... node build/bench/finetune-step.js [--size mpt-800k] [--pairs 8] [--negatives 15] [--threads 1] [--cached]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rng, silentProgress } from '#src/base/index.js';
import { readPairs } from '#src/data/index.js';
import { DEFAULT_EMBEDDER, requireNamedMpt } from '#src/models/index.js';
import { median } from '#src/stats/index.js';
import { finetuneFiles, RunFolder } from '#src/train/index.js';
import { JsonPeer } from './json-peer.ts';
import { writeRandomEmbedder } from './random-embedder.ts';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'mpt-800k' },
    pairs: { type: 'string', default: '8' },
    negatives: { type: 'string', default: '15' },
    length: { type: 'string', default: '128' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    cached: { type: 'boolean', default: false },
  },
});
const { ISOFLOP_DATA } = process.env;
if (ISOFLOP_DATA === undefined) throw new Error('ISOFLOP_DATA is not set: training pairs lie there');
const [count, negatives, length, steps, threads, rounds] = [
  Number(options.pairs),
  Number(options.negatives),
  Number(options.length),
  Number(options.steps),
  Number(options.threads),
  Number(options.rounds),
];
const TEMPERATURE = 0.02;

/** The first pairs of the file, with random other passages as negatives. */
async function makePairs(path: string): Promise<string[]> {
  const rng = Rng.from(17, 'negatives');
  const rows: { query: string; passage: string }[] = [];
  for await (const block of readPairs(path)) {
    for (const { query, pos } of block) rows.push({ query, passage: pos[0]! });
    if (rows.length > 4000) break;
  }
  const lines = rows.slice(0, count).map(({ query, passage }) => {
    const neg = Array.from({ length: negatives }, () => rows[count + rng.int(rows.length - count)]!.passage);
    return `${JSON.stringify({ query, pos: [passage], neg })}\n`;
  });
  writeFileSync(pairsFile, lines.join(''));
  return rows.map(({ passage }) => passage);
}

interface OurSteps {
  readonly seconds: number[];
  readonly losses: number[];
  readonly texts: number;
}

/** Steps after the first, from one report to the next, so that collating counts. */
async function ourSteps(round: number): Promise<OurSteps> {
  const seconds: number[] = [];
  const losses: number[] = [];
  let [last, texts] = [0, 0];
  await finetuneFiles(
    model,
    pairsFile,
    {
      ...{
        temperature: TEMPERATURE,
        negatives,
        batchPairs: count,
        epochs: steps + 1,
        learningRate: 1e-4,
        threads,
      },
      ...{ warmupShare: 0, trainQueryTokens: length, trainPassageTokens: length },
      activationBytes: options.cached ? 1 : 32e9,
    },
    {
      folder: new RunFolder(join(folder, `run-${round}`)),
      emit: event => {
        if (event.type !== 'finetuneStep') return;
        const now = performance.now();
        if (last > 0) seconds.push((now - last) / 1000);
        last = now;
        losses.push(event.lossNats);
        texts = event.texts;
      },
      signal: new AbortController().signal,
      now: () => performance.now(),
      checkpointEveryMs: 1e9,
      progress: silentProgress,
      environment: process.env,
    },
  );
  return { seconds, losses, texts };
}

const folder = mkdtempSync(join(tmpdir(), 'isoflop-bench-finetune-'));
const [pairsFile, model] = [join(folder, 'pairs.jsonl'), join(folder, 'model')];
const texts = await makePairs(join(ISOFLOP_DATA, 'train_pairs', 'wiki_section.jsonl.gz'));
await writeRandomEmbedder({
  ...{ folder: model, texts },
  configOf: vocabSize => requireNamedMpt(options.size, { vocabSize }),
});
const { queryPrefix: query_prefix, passagePrefix: passage_prefix } = DEFAULT_EMBEDDER;
const peer = JsonPeer.start('st_finetune_step.py', threads);
try {
  const { ready } = await peer.ask({
    open: { model, pairs: pairsFile, query_prefix, passage_prefix, length, scale: 1 / TEMPERATURE, threads },
  });
  const first = (await peer.ask({ steps: 1 }))['losses'] as number[]; // warms up, and tells the loss of the untrained model
  const ratios: number[] = [];
  const [ours, theirs]: [number[], number[]] = [[], []];
  let firstLoss = Number.NaN;
  let rows = 0;
  for (let round = 0; round < rounds; round++) {
    const mine = await ourSteps(round);
    const other = (await peer.ask({ steps }))['seconds'] as number[];
    firstLoss = mine.losses[0]!;
    rows = mine.texts;
    ours.push(...mine.seconds);
    theirs.push(...other);
    ratios.push(median(other) / median(mine.seconds));
  }
  console.log(
    JSON.stringify({
      ...{ bench: 'finetune-step', size: options.size, pairs: count, negatives, length, threads },
      ...{ way: options.cached ? 'cached' : 'direct', sentenceTransformers: ready, texts: rows },
      isoflopTextsPerSecond: rows / median(ours),
      sentenceTransformersTextsPerSecond: rows / median(theirs),
      timesFaster: median(ratios),
      firstLoss,
      theirFirstLoss: first[0],
    }),
  );
} finally {
  await peer.close();
  rmSync(folder, { recursive: true });
}
