import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rng } from '../base/index.ts';
import * as s from './index.ts';

function close(actual: number | undefined, expected: number, tolerance = 1e-12): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
}

test('distributions equal SciPy 1.17 (stats.t, stats.norm, special.gammaln)', () => {
  close(s.studentTQuantile(0.975, 21), 2.079613844727662, 1e-12);
  close(s.studentTQuantile(0.975, 1), 12.706204736174694, 1e-10);
  close(s.studentTQuantile(0.025, 5.5), -2.501858617589239, 1e-11);
  close(s.studentTCdf(2.3, 7), 0.9725044523978142, 1e-13);
  close(s.normalQuantile(0.975), 1.959963984540054, 1e-12);
  close(s.normalQuantile(0.5), 0, 1e-12);
  close(s.normalCdf(-5), 2.866515718791933e-7, 1e-18);
  close(s.normalCdf(1.3), 0.9031995154143897, 1e-14);
  close(s.logGamma(0.3), 1.0957979948180756, 1e-13);
});

test('quantiles are type 7 and ranks share ties', () => {
  close(s.quantile([3, 1, 2, 10], 0.25), 1.75);
  close(s.median([5, 1, 9]), 5);
  assert.deepEqual([...s.midRanks([10, 20, 10, 5])], [2.5, 4, 2.5, 1]);
  assert.deepEqual(s.percentileInterval([0, 1, 2, 3, 4], 0.5), { low: 1, high: 3 });
});

test('correlations agree with hand counts, ties included', () => {
  const x = [1, 2, 3, 4, 5];
  close(s.pearson(x, [2, 4, 6, 8, 10]), 1);
  close(s.spearman(x, [1, 8, 27, 64, 125]), 1);
  close(s.kendall(x, [1, 3, 2, 4, 5]), 0.8);
  close(s.kendall([1, 1, 2], [1, 2, 3]), 2 / Math.sqrt(6)); // one tie in x: (2 - 0) / sqrt(2 * 3)
  assert.equal(s.pearson(x, [7, 7, 7, 7, 7]), undefined);
  assert.equal(s.kendall(x, [7, 7, 7, 7, 7]), undefined);
});

test('partial correlation takes a common cause out', () => {
  const rng = Rng.from(1);
  const z = Float64Array.from({ length: 4000 }, () => rng.normal());
  const x = z.map(v => v + 0.3 * rng.normal());
  const y = z.map(v => v + 0.3 * rng.normal());
  assert.ok(s.pearson(x, y)! > 0.85);
  for (const kind of ['pearson', 'spearman'] as const)
    assert.ok(Math.abs(s.correlation(kind, x, y, [z])!) < 0.06, kind);
  const [a, b, c] = [s.pearson(x, y)!, s.pearson(x, z)!, s.pearson(y, z)!];
  close(s.correlation('pearson', x, y, [z]), (a - b * c) / Math.sqrt((1 - b * b) * (1 - c * c)), 1e-9);
  assert.equal(
    s.correlation('pearson', x, y, [x]),
    undefined,
    'a variable partialled on itself has no residual',
  );
});

test('the interval of a correlation covers at its rate and is undefined for too few pairs', () => {
  const rng = Rng.from(2);
  const rho = 0.6;
  let covered = 0;
  for (let k = 0; k < 500; k++) {
    const x = Float64Array.from({ length: 25 }, () => rng.normal());
    const y = x.map(v => rho * v + Math.sqrt(1 - rho * rho) * rng.normal());
    const { low, high } = s.fisherInterval('pearson', s.pearson(x, y)!, 25, 0, 0.95)!;
    if (low <= rho && rho <= high) covered++;
  }
  assert.ok(covered > 455 && covered < 495, `${covered} of 500`);
  assert.equal(s.fisherInterval('pearson', 0.5, 3, 0, 0.95), undefined);
  assert.equal(s.fisherInterval('kendall', 0.5, 5, 1, 0.95), undefined);
});

test('least squares solves the normal equations, refuses dependent columns and gives leverages', () => {
  const rng = Rng.from(3);
  const columns = [0, 1, 2].map(() => Float64Array.from({ length: 12 }, () => rng.normal()));
  const y = Float64Array.from({ length: 12 }, () => rng.normal());
  const fit = s.leastSquares(columns, y)!;
  for (const column of columns)
    close(
      column.reduce((sum, v, i) => sum + v * fit.residuals[i]!, 0),
      0,
      1e-12,
    );
  let trace = 0;
  for (let i = 0; i < 12; i++) trace += fit.leverage(columns.map(column => column[i]!)) ** 2;
  close(trace, 3, 1e-10);
  assert.equal(s.leastSquares([columns[0]!, columns[0]!.map(v => 2 * v)], y), undefined);
  assert.equal(s.leastSquares(columns, [1, 2]), undefined);
});

test('Cholesky solves, and refuses what is not positive definite', () => {
  close(s.solvePositive([4, 2, 2, 3], [8, 7])![0], 1.25);
  assert.equal(s.solvePositive([1, 2, 2, 1], [1, 1]), undefined);
  const eigen = s.symmetricEigenvalues([2, 1, 0, 1, 2, 0, 0, 0, 5], 3);
  close(eigen[0], 1);
  close(eigen[1], 3);
  close(eigen[2], 5);
});

test('resampling keeps groups whole and is reproducible', () => {
  const groups = s.groupRows(['a', 'b', 'a', 'c']);
  assert.deepEqual(groups, [[0, 2], [1], [3]]);
  const draw = () => s.resampleGroups(groups, Rng.from(4));
  assert.deepEqual(draw(), draw());
  const rows = s.resampleGroups(groups, Rng.from(5));
  assert.equal(rows.filter(row => row === 0).length, rows.filter(row => row === 2).length);
});
