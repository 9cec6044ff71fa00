/**
 * isoflop's BM25 as a contestant of bench/bm25.ts, in a process of its own: one JSON command a line on stdin, one JSON answer a line on stdout.
 *
 *     node build/bench/bm25Racer.js FOLDER QUERIES.txt INDEX
 *
 * {"do": "index", "threads": 1}                         reads the folder, indexes it and writes the file: all that `isoflop bm25 index` does
 * {"do": "open"}                                        reads the file and prepares it for search
 * {"do": "search", "k": 10, "threads": 1, "rounds": 1}  answers all queries so many times; the first round is not timed if there are
 *                                                       others, nor, with more threads, the last: its end is answered while fewer are at work
 * {"do": "rss"}                                         -> {"megabytes"}, the most so far
 */
import { createInterface } from 'node:readline';
import {
  indexFolder,
  openIndex,
  type Prepared,
  parametersOf,
  prepare,
  searchBatch,
} from '#src/bm25/index.js';
import { readRaceQueries } from './bm25Collections.ts';

export interface Command {
  readonly do: 'index' | 'open' | 'search' | 'rss';
  readonly k?: number;
  readonly threads?: number;
  readonly rounds?: number;
}

export interface Answer {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Answers of which the time is. */
  readonly queries?: number;
  readonly megabytes?: number;
}

const [folder, queryFile, index] = process.argv.slice(2) as [string, string, string];
const queries = readRaceQueries(queryFile).map(text => ({ text }));
let prepared: Prepared | undefined;

async function timed(
  work: (start: () => void, stop: () => void) => Promise<Partial<Answer>>,
): Promise<Answer> {
  let [began, cpu] = [0, process.cpuUsage()];
  const start = () => {
    [began, cpu] = [performance.now(), process.cpuUsage()];
  };
  let taken: Answer | undefined;
  const stop = () => {
    const { user, system } = process.cpuUsage(cpu);
    taken ??= { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 };
  };
  start();
  const result = await work(start, stop);
  stop();
  return { ...taken!, ...result };
}

function answer({ do: what, k = 1000, threads = 1, rounds = 1 }: Command): Promise<Answer> {
  return timed(async (start, stop) => {
    if (what === 'index') await indexFolder(folder, index, { analyzer: 'english', threads });
    if (what === 'open') prepared = prepare(await openIndex(index), parametersOf());
    if (what === 'rss') return { megabytes: process.resourceUsage().maxRSS / 1024 };
    if (what !== 'search') return {};
    const wanted = Array.from({ length: rounds }, () => queries).flat();
    const first = rounds > 1 ? queries.length : 0;
    const last = wanted.length - (threads > 1 && rounds > 2 ? queries.length : 0);
    for await (const { query } of searchBatch(prepared!, wanted, k, { threads })) {
      if (query + 1 === first) start();
      if (query + 1 === last) stop();
    }
    return { queries: last - first };
  });
}

for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(await answer(JSON.parse(line) as Command)));
