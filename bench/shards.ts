/**
 * A JSONL file of text to token shards, beside the same with the Python package `tokenizers` (without hashes, held-out split or resumption), in turn:
 *
 *     ISOFLOP_DATA=... node build/bench/shards.js --python PYTHON [--megabytes 100] [--vocab 8192] [--rounds 3] [--workers 2]
 *
 * Also: opening the shards (every hash checked), and batches of training sequences a second.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildShards, openTexts, readDocuments, ShardReader, textsOf } from '#src/data/index.js';
import { Tokenizer, trainTokenizer } from '#src/tokenizer/index.js';
import { peakMb, type Report, race, runReport } from './race.ts';
import { CORPUS_OPTIONS, writeCorpus } from './text-corpus.ts';

const { values: options } = parseArgs({
  options: {
    ...CORPUS_OPTIONS,
    /** Internal: build these shards and report. */
    build: { type: 'string' },
    tokenizer: { type: 'string', default: '' },
  },
});

async function build(folder: string): Promise<Report> {
  const began = performance.now();
  const tokenizer = await Tokenizer.fromFile(options.tokenizer);
  const { train, heldOut } = await buildShards(await openTexts([options.corpus]), tokenizer, folder, {
    workers: Number(options.workers),
  });
  const seconds = (performance.now() - began) / 1000;
  return { seconds, tokens: train.tokens + heldOut.tokens, peakMb: peakMb() };
}

async function readBack(folder: string): Promise<object> {
  const [length, rows, steps] = [256, 8, 5000];
  let began = performance.now();
  const reader = await ShardReader.open(folder, { length });
  const openSeconds = (performance.now() - began) / 1000;
  began = performance.now();
  for (let step = 0; step < steps; step++) reader.batch(step, rows, 17);
  const seconds = (performance.now() - began) / 1000;
  reader.close();
  return { job: 'read', openSeconds, length, rows, millisecondsPerBatch: (seconds * 1000) / steps };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'isoflop-bench-shards-'));
  try {
    const [corpus, model] = [join(folder, 'corpus.jsonl'), join(folder, 'tokenizer.json')];
    const bytes = await writeCorpus(corpus, Number(options.megabytes));
    const texts = textsOf(readDocuments(await openTexts([corpus])));
    writeFileSync(model, (await trainTokenizer(texts, { vocabSize: Number(options.vocab) })).json);
    const peer = fileURLToPath(new URL('../../bench/peers/shards_python.py', import.meta.url));
    const python = (method: string) =>
      runReport(options.python, [peer, corpus, model, join(folder, 'python.bin'), method]);
    let made = 0;
    race('shards', bytes, Number(options.rounds), {
      isoflop: () =>
        runReport(process.execPath, [
          ...[fileURLToPath(import.meta.url), '--build', join(folder, `shards-${made++}`)],
          ...['--workers', options.workers, '--corpus', corpus, '--tokenizer', model],
        ]),
      python: () => python('encode_batch'),
      pythonFast: () => python('encode_batch_fast'),
    });
    console.log(JSON.stringify(await readBack(join(folder, 'shards-0'))));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (options.build === undefined) await main();
else console.log(JSON.stringify(await build(options.build)));
