/** A fit, a prediction and a comparison as text for people. */
import type { Comparison, FitReport, HoldoutRow, PredictionRow } from '../scaling/index.ts';
import { formatTable } from './text-table.ts';

/** Six significant digits, exponents only where they help. */
export function show(value: number | null): string {
  if (value === null) return 'open';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(4);
  return String(Number(value.toPrecision(6)));
}

const range = ({ low, high }: { low: number | null; high: number | null }) => `${show(low)} to ${show(high)}`;

export function fitText(report: FitReport): string {
  const { form, n, objective, convergedShare, starts, warnings } = report;
  return [
    `${form} law, ${report.direction}, fitted to ${n} rows of ${report.target.column}: ${report.formula}`,
    '',
    coefficientText(report),
    '',
    `objective ${show(objective)} (summed Huber, delta ${report.huberDelta}, ${report.residuals} residuals); ` +
      `${(100 * convergedShare).toFixed(0)}% of ${starts} starts reached it`,
    `scatter about the law ${show(report.noise)}; FLOPs convention: ${report.flopsConvention}`,
    ...(report.holdout ? ['', holdoutText(report)] : []),
    ...(report.rollouts.length > 0 ? ['', rolloutText(report)] : []),
    ...(warnings.length > 0 ? ['', ...warnings.map(warning => `warning: ${warning}`)] : []),
  ].join('\n');
}

function coefficientText({ coefficients, meanings, interval, bootstrap }: FitReport): string {
  if (coefficients === null) return 'The data do not determine this law: no coefficients. See the warnings.';
  const percent = `${100 * interval.level}%`;
  const names = Object.keys(coefficients);
  const rows = names.map(name => [
    name,
    show(coefficients[name]!.value),
    range(coefficients[name]!),
    ...(bootstrap ? [range(bootstrap.coefficients[name]!)] : []),
    meanings[name]!,
  ]);
  const columns = ['', 'value', `${percent} ${interval.method}`];
  return formatTable([...columns, ...(bootstrap ? ['bootstrap over models'] : []), 'meaning'], rows);
}

function holdoutText({ holdout, interval }: FitReport): string {
  const { model, fittedOn, leftOut, rows } = holdout!;
  const line = (row: HoldoutRow) => [
    row.model,
    show(row.actual),
    show(row.predicted),
    range(row),
    show(row.naive.last),
    show(row.naive.logLinear),
  ];
  const head = `held out: ${model} (${leftOut} rows; law fitted to the other ${fittedOn}; ${100 * interval.level}% interval of a measurement)`;
  return `${head}\n${formatTable(['model', 'actual', 'predicted', 'interval', 'last value', 'log-linear'], rows.map(line))}`;
}

function rolloutText({ rollouts }: FitReport): string {
  const rows = rollouts.map(r => [
    String(r.sizesLeftOut),
    String(r.fittedOn),
    `${show(r.reach)}x`,
    show(r.error),
    show(r.naive.last),
    show(r.naive.logLinear),
    `${(100 * r.covered).toFixed(0)}%`,
  ]);
  const columns = [
    'largest sizes left out',
    'fitted on',
    'compute reach',
    'mean error',
    'last value',
    'log-linear',
  ];
  return formatTable([...columns, 'in the interval'], rows);
}

export function comparisonText(comparison: readonly Comparison[]): string {
  if (comparison.length === 0) return 'Too few sizes to leave any out: the forms cannot be compared.';
  const rows = comparison.map(({ name, error, cutoffs }) => [name, show(error), String(cutoffs)]);
  return formatTable(['form', 'mean hold-out error', 'cut-offs'], rows);
}

export function predictionText(rows: readonly PredictionRow[], level: number): string {
  const columns = Object.keys(rows[0]?.at ?? {});
  const body = rows.map(row => [
    ...columns.map(name => show(row.at[name]!)),
    show(row.value),
    range(row),
    range(row.measurement),
    `${show(row.reach)}x`,
  ]);
  const percent = `${100 * level}%`;
  return formatTable(
    [...columns, 'predicted', `${percent} of the law`, `${percent} of a measurement`, 'reach'],
    body,
  );
}
