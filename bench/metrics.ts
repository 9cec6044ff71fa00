/**
 * `isoflop eval` on a run of 1,000 queries x 1,000 documents, in a cold process (start, reading and scoring included), side by side with
 * pytrec_eval reading and scoring the same file: node build/bench/metrics.js --python PYTHON [--rounds 7]
 * Wall time suffers from whatever else the machine does, so processor time (all threads) is printed too.
 * Three files: scores with six decimals as most tools write them, all digits as Python prints them, and the first with its lines shuffled.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Rng } from '#src/base/index.js';
import { parseMeasures, type Summary } from '#src/metrics/index.js';
import { quantile } from '#src/stats/index.js';

const { values: options } = parseArgs({
  options: { python: { type: 'string', default: 'python3' }, rounds: { type: 'string', default: '7' } },
});
const folder = mkdtempSync(join(tmpdir(), 'isoflop-bench-metrics-'));
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const peer = fileURLToPath(new URL('../../bench/peers/metrics_pytrec.py', import.meta.url));

type Variant = 'six decimals' | 'all digits' | 'shuffled';
const [QUERIES, DEPTH, JUDGED, CORPUS] = [1000, 1000, 20, 8_841_823];

/** Writes a run and judgements, about half of which the run found. */
function makeFiles(variant: Variant): { qrels: string; run: string } {
  const rng = Rng.from(17, 'metrics');
  const [lines, judgements]: [string[], string[]] = [[], []];
  for (let q = 0; q < QUERIES; q++) {
    const documents = new Set<number>();
    while (documents.size < DEPTH + JUDGED / 2) documents.add(rng.int(CORPUS));
    const ids = [...documents];
    const scores = Float64Array.from({ length: DEPTH }, () => 30 * rng.uniform())
      .sort()
      .reverse();
    scores.forEach((score, i) => {
      const text = variant === 'all digits' ? String(score) : score.toFixed(6);
      lines.push(`${q + 1000} Q0 ${ids[i]} ${i + 1} ${text} run`);
    });
    const found = new Set<number>();
    while (found.size < JUDGED / 2) found.add(Math.floor(DEPTH * rng.uniform() ** 2));
    const judged = [...found, ...Array.from({ length: JUDGED / 2 }, (_, i) => DEPTH + i)];
    for (const i of judged) judgements.push(`${q + 1000} 0 ${ids[i]} ${rng.int(3)}`);
  }
  if (variant === 'shuffled') rng.shuffle(lines);
  const [qrels, run] = [join(folder, 'qrels.txt'), join(folder, 'run.txt')];
  writeFileSync(qrels, `${judgements.join('\n')}\n`);
  writeFileSync(run, `${lines.join('\n')}\n`);
  return { qrels, run };
}

interface Timed {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly output: string;
}

function timed(command: string, args: readonly string[]): Omit<Timed, 'cpuSeconds'> {
  const began = performance.now();
  const output = execFileSync(command, args, { encoding: 'utf8' });
  return { seconds: (performance.now() - began) / 1000, output };
}

/** Runs Node with a hook that reports the process's processor time into a file as it exits. */
function timedNode(args: readonly string[]): Timed {
  const report = join(folder, 'cpu.txt');
  const hook = `import { writeFileSync } from 'node:fs';
process.on('exit', () => { const { user, system } = process.cpuUsage(); writeFileSync(${JSON.stringify(report)}, String((user + system) / 1e6)); });`;
  const result = timed(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(hook)}`,
    ...args,
  ]);
  return { ...result, cpuSeconds: Number(readFileSync(report, 'utf8')) };
}

type Means = Readonly<Record<string, number>>;

function timedPeer(qrels: string, run: string): Timed & { readonly means: Means } {
  const result = timed(options.python, [peer, qrels, run]);
  const { cpu, ...means } = JSON.parse(result.output) as Means & { cpu: number };
  return { ...result, means, cpuSeconds: cpu };
}

function largestDifference(ours: Summary['measures'], theirs: Means): number {
  const differences = Object.entries(theirs).map(([name, value]) =>
    Math.abs(value - ours[parseMeasures([name])[0]!.name]!),
  );
  return Math.max(...differences);
}

function compare(variant: Variant): void {
  const { qrels, run } = makeFiles(variant);
  const command = [cli, 'eval', qrels, run, '--json', '-m', 'nDCG@10', 'R@100', 'AP', 'RR', 'P@10'];
  const [ours, theirs, bare]: [Timed[], Timed[], Timed[]] = [[], [], []];
  let difference = 0;
  for (let round = 0; round < Number(options.rounds); round++) {
    const mine = timedNode(command);
    const other = timedPeer(qrels, run);
    ours.push(mine);
    theirs.push(other);
    bare.push(timedNode(['-e', '0']));
    difference = largestDifference((JSON.parse(mine.output) as Summary).measures, other.means);
  }
  const ratio = (get: (one: Timed) => number) => round2(median(theirs.map(get)) / median(ours.map(get)));
  console.log(
    JSON.stringify({
      bench: 'metrics',
      variant,
      megabytes: round2(statSync(run).size / 1e6),
      isoflop: summary(ours),
      pytrecEval: summary(theirs),
      emptyNode: summary(bare),
      wallRatio: ratio(({ seconds }) => seconds),
      cpuRatio: ratio(({ cpuSeconds }) => cpuSeconds),
      largestDifference: difference,
    }),
  );
}

const round2 = (value: number) => Number(value.toFixed(2));
const median = (values: readonly number[]) => quantile(values, 0.5);

function summary(runs: readonly Timed[]): Readonly<Record<string, number>> {
  const [wall, cpu] = [runs.map(({ seconds }) => seconds), runs.map(({ cpuSeconds }) => cpuSeconds)];
  return { wall: round2(median(wall)), fastestWall: round2(Math.min(...wall)), cpu: round2(median(cpu)) };
}

try {
  for (const variant of ['six decimals', 'all digits', 'shuffled'] as const) compare(variant);
} finally {
  rmSync(folder, { recursive: true });
}
