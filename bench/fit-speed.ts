/**
 * The fitter against SciPy's L-BFGS-B on simulated Chinchilla tables: the same objective, data and starts, in turn, table by table.
 * Then what the fitter does alone: the full grid of 4,500 starts on 240 points, and 4,000 bootstrap refits.
 * usage: node build/bench/fit-speed.js [tables 50] [starts a table 60] [python executable, default python3; needs SciPy]
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Rng, scaling } from 'isoflop';

const [tables = '50', starts = '60', python = 'python3'] = process.argv.slice(2);
const peer = readFileSync(new URL('../../bench/peers/scipy_chinchilla.py', import.meta.url), 'utf8');
const POINTS = 240;
const huber = { residuals: 'log', delta: 1e-3 } as const;

/** A table like the one that Besiroglu et al. took from Hoffmann et al.'s figure: 240 runs, noise of 0.6% with a heavy tail. */
function simulate(seed: number): { params: number[]; tokens: number[]; loss: number[] } {
  const rng = Rng.from(seed, 'chinchilla table');
  const between = (low: number, high: number) => low * (high / low) ** rng.uniform();
  const [e, a, b] = [1.6 + 0.4 * rng.uniform(), between(200, 800), between(800, 4000)];
  const [alpha, beta] = [0.3 + 0.08 * rng.uniform(), 0.33 + 0.07 * rng.uniform()];
  const rows = Array.from({ length: POINTS }, () => {
    const n = between(4e7, 1.6e10);
    const d = between(6e18, 3e21) / 6 / n;
    const noise = 0.006 * rng.normal() * (rng.uniform() < 0.1 ? 3 : 1);
    return { n, d, loss: (e + a / n ** alpha + b / d ** beta) * Math.exp(noise) };
  });
  return { params: rows.map(r => r.n), tokens: rows.map(r => r.d), loss: rows.map(r => r.loss) };
}

function ours(table: ReturnType<typeof simulate>, count: number | undefined) {
  const axes = [table.params, table.tokens];
  const law = scaling.chinchilla({
    direction: 'falling',
    axisNames: ['params', 'tokens'],
    scales: axes.map(scaling.geometricMean),
    ceiling: Number.POSITIVE_INFINITY,
    floor: 0,
  });
  const data = scaling.observationsOf(axes, table.loss);
  const all = law.starts(law.prepare(data.axes), data.y).slice(0, 4500);
  const chosen =
    count === undefined
      ? all
      : Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
  const began = performance.now();
  const used = process.cpuUsage();
  const solution = scaling.solve(law, data, huber, chosen)!;
  const cpuSeconds = process.cpuUsage(used).user / 1e6;
  return { law, data, solution, chosen, cpuSeconds, seconds: (performance.now() - began) / 1000 };
}

/** SciPy from the same starts, written as (a, b, e, alpha, beta). */
function theirs(
  table: ReturnType<typeof simulate>,
  law: scaling.Law,
  chosen: readonly Float64Array[],
  analytic: boolean,
) {
  const written = chosen.map(theta => {
    const [e, a, b, alpha, beta] = law.toCoefficients(theta);
    return [Math.log(a!), Math.log(b!), Math.log(Math.max(e!, 1e-3)), alpha!, beta!];
  });
  const input = JSON.stringify({ tables: [{ ...table, starts: written }], delta: huber.delta, analytic });
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }; // more threads only slow 240 points down
  const child = spawnSync(python, ['-c', peer], { input, encoding: 'utf8', maxBuffer: 1 << 26, env });
  if (child.status !== 0) throw new Error(`${python} failed: ${child.stderr}`);
  return JSON.parse(child.stdout) as { objective: number; seconds: number; coefficients: number[] };
}

const median = (values: number[]) => values.sort((x, y) => x - y)[values.length >> 1]!;

const peers = [
  { name: 'SciPy L-BFGS-B without a gradient (finite differences)', analytic: false },
  { name: 'SciPy L-BFGS-B with the analytic gradient', analytic: true },
].map(peer => ({
  ...peer,
  ratios: [] as number[],
  sameOrLower: 0,
  worst: Number.NEGATIVE_INFINITY,
  seconds: 0,
}));
ours(simulate(0), 200); // compiled before it is timed, as SciPy is
for (let seed = 1; seed <= Number(tables); seed++) {
  const table = simulate(seed);
  for (const peer of peers) {
    const mine = ours(table, Number(starts));
    const scipy = theirs(table, mine.law, mine.chosen, peer.analytic);
    const excess = mine.solution.minimum.value - scipy.objective;
    if (excess <= 1e-12) peer.sameOrLower++;
    peer.worst = Math.max(peer.worst, excess);
    peer.ratios.push(scipy.seconds / mine.seconds);
    peer.seconds += scipy.seconds;
  }
}
for (const { name, ratios, sameOrLower, worst, seconds } of peers) {
  console.log(
    JSON.stringify({
      bench: 'fit-speed',
      against: `${name}, same objective, data and starts, one thread`,
      tables: Number(tables),
      startsATable: Number(starts),
      sameOrLowerObjective: sameOrLower,
      worstExcess: worst,
      millisecondsAStart: Number(((1000 * seconds) / Number(tables) / Number(starts)).toPrecision(3)),
      timesFasterMedian: Number(median([...ratios]).toFixed(1)),
      timesFasterLeast: Number(Math.min(...ratios).toFixed(1)),
    }),
  );
}

const grid = ours(simulate(1), undefined);
const share =
  grid.solution.endings.filter(e => e && e.value <= grid.solution.minimum.value + 1e-6).length / 4500;
console.log(
  JSON.stringify({
    bench: 'fit-speed',
    what: '4,500 starts on 240 points, one thread',
    seconds: Number(grid.seconds.toFixed(2)),
    cpuSeconds: Number(grid.cpuSeconds.toFixed(2)),
    convergedShare: Number(share.toFixed(3)),
    objective: grid.solution.minimum.value,
  }),
);

const table = simulate(1);
const model = scaling.modelOfStage(
  { law: grid.law, data: grid.data, huber, solution: grid.solution },
  {
    source: 'simulated',
    axes: [
      { name: 'params', values: grid.data.axes[0]! },
      { name: 'tokens', values: grid.data.axes[1]! },
    ],
    target: { name: 'loss', values: grid.data.y },
    models: table.loss.map((_, i) => `run ${i}`),
    families: table.loss.map(() => ''),
    size: grid.data.axes[0]!,
    compute: grid.data.axes[0]!.map((n, i) => 6 * n * grid.data.axes[1]![i]!),
  },
  { form: 'chinchilla', kind: 'loss', direction: 'falling', floor: 0, huber },
);
const began = performance.now();
const sample = scaling.bootstrap(model, { resamples: 4000, seed: 17 });
console.log(
  JSON.stringify({
    bench: 'fit-speed',
    what: '4,000 bootstrap refits of 240 points, one thread',
    seconds: Number(((performance.now() - began) / 1000).toFixed(2)),
    failed: sample.failed,
  }),
);
