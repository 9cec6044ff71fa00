/**
 * What threads gain when an index is built, beside what the cores have to give. In turn, each round:
 *
 * - `one core`: one thread in a process that is kept to one core;
 * - `threads`: a thread a core in one process;
 * - `side by side`: a process of one thread kept to each core, all at once, each building the whole index. They share caches, memory and
 *   the host, which makes them slower than one alone: what is left is what the cores give programs that have nothing to do with each other.
 *
 *     ISOFLOP_DATA=DIR node build/bench/index-threads.js --collection wiki|synthetic [--documents 1000000] [--cores 2] [--rounds 3] [--scratch DIR]
 *
 * Needs `taskset` (Linux). Nothing else should run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '#src/stats/index.js';
import { collectionNamed } from './bm25Collections.ts';
import { Contestant } from './contestant.ts';

const { values: options } = parseArgs({
  options: {
    collection: { type: 'string', default: 'wiki' },
    documents: { type: 'string', default: '1000000' },
    cores: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    scratch: { type: 'string' },
  },
});
const scratch = options.scratch ?? mkdtempSync(join(tmpdir(), 'isoflop-bench-threads-'));
const [cores, rounds] = [Number(options.cores), Number(options.rounds)];
const racer = fileURLToPath(new URL('bm25Racer.js', import.meta.url));

/** Builds the index in a new process, so that all begin alike; kept to a core, or on all. Returns seconds. */
async function build(
  { folder, queries }: { readonly folder: string; readonly queries: string },
  threads: number,
  core?: number,
): Promise<number> {
  const file = join(scratch, `threads-${threads}-${core ?? 'all'}.bm25`);
  const command = [process.execPath, racer, folder, queries, file];
  const pinned = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  const contestant = new Contestant(`${threads}`, pinned[0]!, pinned.slice(1));
  await contestant.do({ do: 'rss' }); // loaded
  const { seconds } = await contestant.do({ do: 'index', threads });
  contestant.close();
  rmSync(file);
  return seconds;
}

try {
  const collection = await collectionNamed(options.collection, {
    documents: Number(options.documents),
    queries: 10,
    scratch,
  });
  const all: { readonly one: number; readonly threads: number; readonly sideBySide: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const one = await build(collection, 1, 0);
    const threads = await build(collection, cores);
    const together = await Promise.all(
      Array.from({ length: cores }, (_, core) => build(collection, 1, core)),
    );
    const sideBySide = Math.max(...together);
    all.push({ one, threads, sideBySide });
    console.log(JSON.stringify({ round, one, threads, together, gain: one / threads }));
  }
  const gain = median(all.map(({ one, threads }) => one / threads));
  const sideBySideGain = median(all.map(({ one, sideBySide }) => (cores * one) / sideBySide));
  const { documents, textBytes } = collection;
  console.log(
    JSON.stringify({
      ...{ collection: options.collection, documents, textBytes, cores },
      oneSeconds: median(all.map(({ one }) => one)),
      threadsSeconds: median(all.map(({ threads }) => threads)),
      ...{ gain, sideBySideGain },
    }),
  );
} finally {
  if (options.scratch === undefined) rmSync(scratch, { recursive: true });
}
