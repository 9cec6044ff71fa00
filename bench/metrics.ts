/**
 * `isoflop eval` on a run of 1,000 queries x 1,000 documents, in a cold process (start, reading and scoring included), side by side with
 * pytrec_eval reading and scoring the same file: node build/bench/metrics.js --python PYTHON [--rounds 7]
 * Three files: scores with six decimals as most tools write them, all digits as Python prints them, and the first with its lines shuffled.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

function timed(command: string, args: readonly string[]): { seconds: number; output: string } {
  const began = performance.now();
  const output = execFileSync(command, args, { encoding: 'utf8' });
  return { seconds: (performance.now() - began) / 1000, output };
}

function largestDifference(ours: Summary['measures'], theirs: Readonly<Record<string, number>>): number {
  const differences = Object.entries(theirs).map(([name, value]) =>
    Math.abs(value - ours[parseMeasures([name])[0]!.name]!),
  );
  return Math.max(...differences);
}

try {
  for (const variant of ['six decimals', 'all digits', 'shuffled'] as const) {
    const { qrels, run } = makeFiles(variant);
    const [ours, theirs, bare]: [number[], number[], number[]] = [[], [], []];
    let difference = 0;
    for (let round = 0; round < Number(options.rounds); round++) {
      const a = timed(process.execPath, [
        cli,
        'eval',
        qrels,
        run,
        '--json',
        '-m',
        'nDCG@10',
        'R@100',
        'AP',
        'RR',
        'P@10',
      ]);
      const b = timed(options.python, [peer, qrels, run]);
      ours.push(a.seconds);
      theirs.push(b.seconds);
      bare.push(timed(process.execPath, ['-e', '0']).seconds);
      difference = largestDifference((JSON.parse(a.output) as Summary).measures, JSON.parse(b.output));
    }
    const median = (seconds: number[]) => Number(quantile(seconds, 0.5).toFixed(3));
    console.log(
      JSON.stringify({
        bench: 'metrics',
        variant,
        megabytes: Number((statSync(run).size / 1e6).toFixed(1)),
        isoflopSeconds: median(ours),
        isoflopFastest: Number(Math.min(...ours).toFixed(3)),
        emptyNodeSeconds: median(bare),
        pytrecSeconds: median(theirs),
        pytrecFastest: Number(Math.min(...theirs).toFixed(3)),
        ratio: Number((quantile(theirs, 0.5) / quantile(ours, 0.5)).toFixed(2)),
        largestDifference: difference,
      }),
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
