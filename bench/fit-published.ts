/**
 * What the shipped results show, as docs/results/published.md reports it: a law a group, its hold-out error against the two
 * baselines, and the correlations of in-context scores with retrieval. Prints JSON lines.
 * usage: node build/bench/fit-published.js
 */
import { data, scaling } from 'isoflop';

interface Group {
  readonly name: string;
  readonly where?: readonly string[];
  readonly families?: readonly string[];
  readonly x: string;
  readonly y: string;
}

const LUO = ['study=luo2024', 'type=decoder'];
const groups: readonly Group[] = [
  { name: 'SGPT-msmarco', families: ['SGPT-msmarco'], x: 'flops', y: 'beir14' },
  { name: 'udever-bloom', families: ['udever-bloom'], x: 'flops', y: 'beir14' },
  {
    name: 'SGPT-msmarco and udever-bloom',
    families: ['SGPT-msmarco', 'udever-bloom'],
    x: 'flops',
    y: 'beir14',
  },
  { name: 'Luo: Qwen1.5', families: ['Luo-Qwen1.5'], x: 'flops', y: 'beir13' },
  { name: 'Luo: all decoders', where: LUO, x: 'flops', y: 'beir13' },
  { name: 'GTR-T5', families: ['GTR-T5'], x: 'params', y: 'beir14' },
  { name: 'ST5', families: ['ST5'], x: 'params', y: 'beir14' },
  { name: 'arctic', families: ['arctic'], x: 'params', y: 'beir14' },
  { name: 'Pythia: LAMBADA', families: ['pythia'], x: 'flops', y: 'lambada_openai' },
];

const options = { ...scaling.FIT_DEFAULTS, resamples: 0, convention: '6nd' } as const;
const round = (value: number | null) => (value === null ? null : Number(value.toPrecision(4)));

for (const { name, where, families, x, y } of groups) {
  const table = data.whereRows(data.publishedTable(), where);
  const points = data.selectPoints(table, { x, y, ...(families && { families }) });
  for (const form of ['log-linear', 'power', 'sigmoid'] as const) {
    const report = scaling.fit(points, { ...options, form });
    const { holdout, coefficients } = report;
    console.log(
      JSON.stringify({
        group: name,
        x,
        y,
        form,
        n: report.n,
        identified: report.identified,
        coefficients:
          coefficients &&
          Object.fromEntries(
            Object.entries(coefficients).map(([k, v]) => [k, [v.value, v.low, v.high].map(round)]),
          ),
        noise: round(report.noise),
        holdout: holdout && {
          model: holdout.model,
          actual: holdout.actual,
          predicted: round(holdout.predicted),
          interval: [round(holdout.low), round(holdout.high)],
          error: round(Math.abs(holdout.predicted - holdout.actual)),
          last: round(Math.abs(holdout.naive.last - holdout.actual)),
          logLinear: holdout.naive.logLinear && round(Math.abs(holdout.naive.logLinear - holdout.actual)),
        },
        warnings: report.warnings,
      }),
    );
  }
  const comparison = scaling.compareAll(points, {}, 3);
  if (comparison.length > 0)
    console.log(
      JSON.stringify({ group: name, comparison: comparison.map(c => [c.name, round(c.error), c.cutoffs]) }),
    );
}

for (const [name, where, families, y] of [
  ['Luo decoders', LUO, undefined, 'beir13'],
  ['SGPT and udever', undefined, ['SGPT-msmarco', 'udever-bloom'], 'beir14'],
] as const) {
  const table = data.whereRows(data.publishedTable(), where);
  const tasks = data.expandGroups(families ? data.ofFamilies(table, families) : table, ['icl']);
  const scores = data.selectColumns(table, [...tasks, 'flops', y], { ...(families && { families }) });
  const settings = { x: [...tasks, 'flops'], y: [y], level: 0.95, resamples: 1000, seed: 17 };
  for (const pair of scaling.correlateAll(scores, { ...settings, x: tasks, partial: 'flops' })) {
    const short = (v: scaling.CorrelationValue | null) => v && [round(v.value), round(v.low), round(v.high)];
    console.log(
      JSON.stringify({
        correlation: name,
        x: pair.x,
        n: pair.n,
        pearson: short(pair.pearson),
        spearman: short(pair.spearman),
        kendall: short(pair.kendall),
        bootstrap: pair.pearson?.bootstrap,
        partialPearson: short(pair.partial!.pearson),
        partialSpearman: short(pair.partial!.spearman),
      }),
    );
  }
  console.log(
    JSON.stringify({
      ranking: name,
      tasks: scaling.rankTasks(scores, tasks, y).map(t => [t.task, t.n, round(t.error)]),
    }),
  );
}
