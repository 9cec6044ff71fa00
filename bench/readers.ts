/**
 * Reading a corpus of passages with MS MARCO's lengths (56 words each): documents/s and MB/s of `readCorpus`, every id checked for duplicates, beside
 * a Python loop over json.loads as in BEIR's loader: node build/bench/readers.js --python PYTHON [--documents 500000] [--rounds 3]
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Rng } from '#src/base/index.js';
import { docTexts, readCorpus } from '#src/data/index.js';
import { quantile } from '#src/stats/index.js';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    documents: { type: 'string', default: '500000' },
    rounds: { type: 'string', default: '3' },
  },
});
const count = Number(options.documents);
const folder = mkdtempSync(join(tmpdir(), 'isoflop-bench-readers-'));
const path = join(folder, 'corpus.jsonl');
const peer = fileURLToPath(new URL('../../bench/peers/readers_beir.py', import.meta.url));

function writeCorpus(): void {
  const rng = Rng.from(17, 'readers');
  const words = Array.from({ length: 5000 }, (_, i) => `${(i * 7919 + 13).toString(36)}${'aeiou'[i % 5]}`);
  const file = openSync(path, 'w');
  for (let first = 0; first < count; first += 1000) {
    let lines = '';
    for (let id = first; id < Math.min(count, first + 1000); id++) {
      const text = Array.from({ length: 56 }, () => words[Math.floor(5000 * rng.uniform() ** 3)]).join(' ');
      lines += `${JSON.stringify({ _id: String(id), title: '', text })}\n`;
    }
    writeSync(file, lines);
  }
  closeSync(file);
}

async function read(): Promise<number> {
  const began = performance.now();
  let characters = 0;
  for await (const batch of readCorpus(folder)) for (const text of docTexts(batch)) characters += text.length;
  if (characters < 100 * count) throw new Error('the corpus is not what was written');
  return (performance.now() - began) / 1000;
}

function readWithPeer(): number {
  const began = performance.now();
  execFileSync(options.python, [peer, path]);
  return (performance.now() - began) / 1000;
}

try {
  writeCorpus();
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    ours.push(await read());
    theirs.push(readWithPeer());
  }
  const seconds = quantile(ours, 0.5);
  console.log(
    JSON.stringify({
      bench: 'readers',
      documents: count,
      megabytes: Math.round(statSync(path).size / 1e6),
      isoflopSeconds: Number(seconds.toFixed(2)),
      documentsPerSecond: Math.round(count / seconds),
      megabytesPerSecond: Math.round(statSync(path).size / 1e6 / seconds),
      pythonSeconds: Number(quantile(theirs, 0.5).toFixed(2)),
      ratio: Number((quantile(theirs, 0.5) / seconds).toFixed(2)),
    }),
  );
} finally {
  rmSync(folder, { recursive: true });
}
