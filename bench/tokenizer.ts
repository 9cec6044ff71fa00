/**
 * Training a byte-level BPE tokenizer, and encoding with it, beside the Python and npm packages `tokenizers`, in turn, each in a process of its own:
 *
 *     ISOFLOP_DATA=... node build/bench/tokenizer.js --python PYTHON [--megabytes 100] [--vocab 8192] [--rounds 3] [--workers 2]
 *
 * Training: from a JSONL file to a tokenizer.json; both give the same merges, which is checked. Encoding: documents in memory to id arrays,
 * on one thread here, on all in the packages.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Tokenizer as Native } from 'tokenizers';
import { openTexts, readDocuments, textsOf } from '#src/data/index.js';
import { Tokenizer, trainTokenizer } from '#src/tokenizer/index.js';
import { peakMb, type Report, race, runReport } from './race.ts';
import { CORPUS_OPTIONS, writeCorpus } from './text-corpus.ts';

const { values: options } = parseArgs({
  options: {
    ...CORPUS_OPTIONS,
    /** Internal: what this process does as a child. */
    child: { type: 'string' },
    output: { type: 'string', default: '' },
  },
});

const BATCH = 256;

async function trainHere(): Promise<Report> {
  const began = performance.now();
  const documents = textsOf(readDocuments(await openTexts([options.corpus])));
  const { json } = await trainTokenizer(documents, {
    vocabSize: Number(options.vocab),
    minFrequency: 1,
    workers: Number(options.workers),
  });
  writeFileSync(options.output, json);
  return { seconds: (performance.now() - began) / 1000, peakMb: peakMb() };
}

async function loadTexts(): Promise<string[]> {
  const texts: string[] = [];
  for await (const batch of readDocuments(await openTexts([options.corpus]))) texts.push(...batch.texts);
  return texts;
}

async function encodeHere(): Promise<Report> {
  const texts = await loadTexts();
  const tokenizer = await Tokenizer.fromFile(options.output);
  const began = performance.now();
  let tokens = 0;
  for (let from = 0; from < texts.length; from += BATCH)
    tokens += (await tokenizer.encodeBatch(texts.slice(from, from + BATCH))).ids.length;
  return { seconds: (performance.now() - began) / 1000, tokens, peakMb: peakMb() };
}

async function encodeNatively(): Promise<Report> {
  const texts = await loadTexts();
  const tokenizer = Native.fromFile(options.output);
  const began = performance.now();
  let tokens = 0;
  for (let from = 0; from < texts.length; from += BATCH)
    for (const encoding of await tokenizer.encodeBatch(texts.slice(from, from + BATCH), {
      addSpecialTokens: false,
    }))
      tokens += Uint16Array.from(encoding.getIds()).length;
  return { seconds: (performance.now() - began) / 1000, tokens, peakMb: peakMb() };
}

const children: Readonly<Record<string, () => Promise<Report>>> = { trainHere, encodeHere, encodeNatively };

function child(name: string, corpus: string, output: string): Report {
  const args = [
    '--vocab',
    options.vocab,
    '--workers',
    options.workers,
    '--corpus',
    corpus,
    '--output',
    output,
  ];
  return runReport(process.execPath, [fileURLToPath(import.meta.url), '--child', name, ...args]);
}

const peer = (name: string) => fileURLToPath(new URL(`../../bench/peers/${name}`, import.meta.url));

async function main(): Promise<void> {
  const rounds = Number(options.rounds);
  const folder = mkdtempSync(join(tmpdir(), 'isoflop-bench-tokenizer-'));
  try {
    const corpus = join(folder, 'corpus.jsonl');
    const bytes = await writeCorpus(corpus, Number(options.megabytes));
    const [ours, theirs] = [join(folder, 'ours.json'), join(folder, 'theirs.json')];
    race(`train ${options.vocab}`, bytes, rounds, {
      isoflop: () => child('trainHere', corpus, ours),
      python: () => runReport(options.python, [peer('tokenizer_train.py'), corpus, options.vocab, theirs]),
    });
    console.log(JSON.stringify({ job: 'train', ...sameMerges(ours, theirs) }));
    race('encode', bytes, rounds, {
      isoflop: () => child('encodeHere', corpus, ours),
      npm: () => child('encodeNatively', corpus, ours),
      python: () => runReport(options.python, [peer('tokenizer_encode.py'), corpus, ours, 'encode_batch']),
      pythonFast: () =>
        runReport(options.python, [peer('tokenizer_encode.py'), corpus, ours, 'encode_batch_fast']),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sameMerges(ours: string, theirs: string): { merges: number; different: number } {
  const mergesIn = (path: string) =>
    (JSON.parse(readFileSync(path, 'utf8')) as { model: { merges: (string | string[])[] } }).model.merges.map(
      merge => (typeof merge === 'string' ? merge : merge.join(' ')),
    );
  const [a, b] = [mergesIn(ours), mergesIn(theirs)];
  return {
    merges: a.length,
    different: a.filter((merge, i) => merge !== b[i]).length + Math.abs(a.length - b.length),
  };
}

if (options.child === undefined) await main();
else console.log(JSON.stringify(await children[options.child]!()));
