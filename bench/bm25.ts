/**
 * Indexing and searching side by side with bm25s, in turn, one core each unless `--threads` says otherwise:
 *
 *     ISOFLOP_DATA=DIR node build/bench/bm25.js --collection scifact|wiki|synthetic [--python PYTHON] [--rounds 5] [--search-rounds 5]
 *         [--documents 1000000] [--queries 1000] [--peers numba,numpy] [--threads 1] [--k 1000] [--no-stem] [--scratch DIR]
 *
 * isoflop's indexing is the whole job from the file of the collection to the file of the index; bm25s' begins with the texts in memory and ends with
 * the index there. Its search begins with tokens, isoflop's with text. Wall time suffers from whatever else the machine does, so rates by processor
 * time are printed too; `timesIsoflop` is the median over the rounds of a contestant's time over isoflop's in the same round.
 * bm25s compiles before anything is timed; isoflop answers all queries once before it answers them again with the clock running.
 * With more than one thread, isoflop runs with one and with so many in turn, and no peer.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '#src/stats/index.js';
import { collectionNamed, type RaceCollection } from './bm25Collections.ts';
import type { Answer, Command } from './bm25Racer.ts';
import { Contestant } from './contestant.ts';

const { values: options } = parseArgs({
  options: {
    collection: { type: 'string', default: 'scifact' },
    python: { type: 'string', default: process.env['ISOFLOP_PYTHON'] ?? 'python3' },
    rounds: { type: 'string', default: '5' },
    'search-rounds': { type: 'string' },
    documents: { type: 'string', default: '1000000' },
    queries: { type: 'string', default: '1000' },
    peers: { type: 'string', default: 'numba,numpy' },
    threads: { type: 'string', default: '1' },
    k: { type: 'string', default: '1000' },
    'no-stem': { type: 'boolean', default: false },
    scratch: { type: 'string' },
  },
});
const scratch = options.scratch ?? mkdtempSync(join(tmpdir(), 'isoflop-bench-bm25-'));
const [rounds, threads, k] = [Number(options.rounds), Number(options.threads), Number(options.k)];
const searchRounds = Number(options['search-rounds'] ?? rounds);

function contestants({ folder, queries }: RaceCollection): Contestant[] {
  const beside = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const ours = (name: string, extra: Partial<Command>) =>
    new Contestant(
      name,
      process.execPath,
      [beside('bm25Racer.js'), folder, queries, join(scratch, `${name.replaceAll(' ', '-')}.bm25`)],
      extra,
    );
  if (threads > 1)
    return [
      ours('isoflop', { threads: 1, rounds: 4 }),
      ours(`isoflop ${threads} threads`, { threads, rounds: 4 }),
    ];
  const peer = beside('../../bench/peers/bm25s_race.py');
  const stem = options['no-stem'] ? ['--no-stem'] : [];
  const peers = options.peers.split(',').filter(name => name !== '');
  return [
    ours('isoflop', { rounds: 2 }),
    ...peers.map(
      backend =>
        new Contestant(`bm25s ${backend}`, options.python, [
          peer,
          join(folder, 'corpus.jsonl'),
          queries,
          '--backend',
          backend,
          ...stem,
        ]),
    ),
  ];
}

/** Every contestant does the job once a round, in turn; `work` is how much of it there is, in each unit. */
async function race(
  all: readonly Contestant[],
  command: Command,
  work: Readonly<Record<string, number>>,
  rounds: number,
): Promise<void> {
  const answers: Answer[][] = [];
  for (let round = 0; round < rounds; round++) {
    const row: Answer[] = [];
    for (const contestant of all) row.push(await contestant.do(command));
    answers.push(row);
  }
  for (const [i, { name }] of all.entries()) {
    const mine = answers.map(row => row[i]!);
    const share = (mine[0]!.queries ?? work['queries'] ?? 1) / (work['queries'] ?? 1);
    const seconds = median(mine.map(answer => answer.seconds)) / share;
    const cpuSeconds = median(mine.map(answer => answer.cpuSeconds)) / share;
    const rates = Object.entries(work).flatMap(([unit, amount]) => [
      [`${unit}PerSecond`, amount / seconds],
      [`${unit}PerCpuSecond`, amount / cpuSeconds],
    ]);
    const each = (of: (answer: Answer) => number, answer: Answer) =>
      of(answer) / (answer.queries ?? work['queries'] ?? 1);
    const ratio = (of: (answer: Answer) => number) =>
      median(answers.map(row => each(of, row[i]!) / each(of, row[0]!)));
    const timesIsoflop = ratio(answer => answer.seconds);
    const cpuTimesIsoflop = ratio(answer => answer.cpuSeconds);
    const all_ = mine.map(answer => Number(answer.cpuSeconds.toFixed(3)));
    console.log(
      JSON.stringify({
        ...{ collection: options.collection, job: command.do, name, seconds, ...Object.fromEntries(rates) },
        ...{ timesIsoflop, cpuTimesIsoflop, cpuSeconds: all_ },
      }),
    );
  }
}

try {
  const collection = await collectionNamed(options.collection, {
    documents: Number(options.documents),
    queries: Number(options.queries),
    scratch,
  });
  const { documents, textBytes } = collection;
  console.log(JSON.stringify({ collection: options.collection, documents, textBytes }));
  const all = contestants(collection);
  for (const contestant of all) await contestant.do({ do: 'rss' }); // loaded, so that nobody loads beside another's work
  await race(all, { do: 'index' }, { documents, megabytes: textBytes / 1e6 }, rounds);
  for (const contestant of all.filter(({ name }) => name.startsWith('isoflop'))) {
    const { seconds } = await contestant.do({ do: 'open' });
    const file = join(scratch, `${contestant.name.replaceAll(' ', '-')}.bm25`);
    console.log(
      JSON.stringify({ name: contestant.name, openSeconds: seconds, indexBytes: statSync(file).size }),
    );
  }
  await race(all, { do: 'search', k }, { queries: Number(options.queries) }, searchRounds);
  for (const contestant of all) {
    const { megabytes } = await contestant.do({ do: 'rss' });
    console.log(JSON.stringify({ name: contestant.name, peakMegabytes: megabytes }));
    contestant.close();
  }
} finally {
  if (options.scratch === undefined) rmSync(scratch, { recursive: true });
}
