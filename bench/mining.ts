/**
 * The rate of `isoflop mine` on the synthetic collection with MS MARCO's term statistics, by one thread and by two in turn:
 *
 *     node build/bench/mining.js [--documents 8841823] [--queries 20000] [--negatives 15] [--ranks 100] [--rounds 3] [--scratch DIR]
 *
 * Queries are a sample; `hoursFor500000` is what the measured rate implies for MS MARCO's half a million. The rate is of the mining itself; reading the
 * collection and opening its index, which happens once whatever the number of queries, is `setupSeconds`. An index that `--scratch` holds is used again.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Progress } from '#src/base/index.js';
import { indexFolder, parametersOf } from '#src/bm25/index.js';
import { DEFAULT_SETTINGS, mine } from '#src/mining/index.js';
import { median } from '#src/stats/index.js';
import { collectionNamed } from './bm25Collections.ts';
import { MS_MARCO_PASSAGES, syntheticPairs } from './bm25Synthetic.ts';
import { peakMb, type Report, runReport } from './race.ts';

const { values: options } = parseArgs({
  options: {
    documents: { type: 'string', default: String(MS_MARCO_PASSAGES) },
    queries: { type: 'string', default: '20000' },
    negatives: { type: 'string', default: '15' },
    ranks: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '3' },
    scratch: { type: 'string' },
    /** Internal: mine this folder with so many threads, and report. */
    folder: { type: 'string' },
    threads: { type: 'string', default: '1' },
  },
});

const MS_MARCO_QUERIES = 500_000;

/** The collection, its index, and queries whose positives are the passages they were made of. */
async function makeFolder(scratch: string): Promise<string> {
  const [documents, queries] = [Number(options.documents), Number(options.queries)];
  const { folder } = await collectionNamed('synthetic', { documents, queries, scratch });
  const pairs = syntheticPairs(queries, documents);
  mkdirSync(join(folder, 'qrels'), { recursive: true });
  const line = ({ query }: { query: string }, i: number) => JSON.stringify({ _id: `q${i}`, text: query });
  writeFileSync(join(folder, 'queries.jsonl'), pairs.map(line).join('\n'));
  const judged = pairs.map(({ passage }, i) => `q${i}\t${passage}\t1`);
  writeFileSync(join(folder, 'qrels', 'train.tsv'), `query-id\tcorpus-id\tscore\n${judged.join('\n')}\n`);
  if (!existsSync(join(folder, 'index'))) {
    const began = performance.now();
    await indexFolder(folder, join(folder, 'index'), { analyzer: 'english' });
    const seconds = (performance.now() - began) / 1000;
    console.log(JSON.stringify({ bench: 'mining', job: 'index', documents, seconds, peakMb: peakMb() }));
  }
  return folder;
}

/** Mines, and measures from the first query searched for to the last one written. */
async function mineHere(folder: string): Promise<Report> {
  const began = performance.now();
  let [start, cpu] = [began, process.cpuUsage()];
  let [seconds, cpuSeconds] = [0, 0];
  const progress: Progress = {
    start(label) {
      if (label === 'mine') [start, cpu] = [performance.now(), process.cpuUsage()];
      return {
        update() {},
        finish() {
          seconds = (performance.now() - start) / 1000;
          const { user, system } = process.cpuUsage(cpu);
          cpuSeconds = (user + system) / 1e6;
        },
      };
    },
  };
  const { queries, short } = await mine(folder, join(folder, `mined-${options.threads}.jsonl`), {
    settings: {
      ...DEFAULT_SETTINGS,
      negatives: Number(options.negatives),
      ranks: { from: 1, to: Number(options.ranks) },
    },
    split: 'train',
    analyzer: 'english',
    parameters: parametersOf(),
    index: join(folder, 'index'),
    threads: Number(options.threads),
    progress,
  });
  return { seconds, cpuSeconds, setupSeconds: (start - began) / 1000, queries, short, peakMb: peakMb() };
}

function runChild(folder: string, threads: number): Report {
  const { documents, queries, negatives, ranks } = options;
  const said = Object.entries({ documents, queries, negatives, ranks, folder, threads: String(threads) });
  const args = said.flatMap(([name, value]) => [`--${name}`, value]);
  return runReport(process.execPath, [fileURLToPath(import.meta.url), ...args]);
}

function print(threads: number, reports: readonly Report[]): void {
  const { queries, short, peakMb: peak, setupSeconds } = reports.at(-1)!;
  const rate = median(reports.map(({ seconds }) => Number(queries) / seconds));
  const cpuRate = median(reports.map(({ cpuSeconds }) => Number(queries) / Number(cpuSeconds)));
  const line = {
    ...{ bench: 'mining', job: 'mine', documents: Number(options.documents), queries, threads, short },
    ...{ queriesPerSecond: rate, queriesPerCpuSecond: cpuRate },
    ...{ hoursFor500000: MS_MARCO_QUERIES / rate / 3600, setupSeconds, peakMb: peak },
  };
  console.log(JSON.stringify(line));
}

async function main(): Promise<void> {
  const scratch = options.scratch ?? mkdtempSync(join(tmpdir(), 'isoflop-bench-mining-'));
  try {
    const folder = await makeFolder(scratch);
    const reports: Record<1 | 2, Report[]> = { 1: [], 2: [] };
    for (let round = 0; round < Number(options.rounds); round++)
      for (const threads of [1, 2] as const) reports[threads].push(runChild(folder, threads));
    for (const threads of [1, 2] as const) print(threads, reports[threads]);
  } finally {
    if (options.scratch === undefined) rmSync(scratch, { recursive: true });
  }
}

if (options.folder === undefined) await main();
else console.log(JSON.stringify(await mineHere(options.folder)));
