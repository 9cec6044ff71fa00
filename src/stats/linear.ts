/** Dense linear algebra for a handful of unknowns: matrices are row-major `Float64Array`s of size p x p or n x p. */
import type { Numbers } from './quantile.ts';

/**
 * Solves A x = b for a symmetric positive definite A (p x p) by Cholesky. Returns undefined where A is not
 * positive definite to working precision. A and b are left as they are.
 */
export function solvePositive(a: Numbers, b: Numbers): Float64Array | undefined {
  const factor = cholesky(a, b.length);
  if (factor === undefined) return undefined;
  return solveCholesky(factor, Float64Array.from(b));
}

/** The lower triangle L with L L' = A, or undefined where A is not positive definite. */
export function cholesky(a: Numbers, p: number): Float64Array | undefined {
  const lower = new Float64Array(p * p);
  for (let i = 0; i < p; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * p + j]!;
      for (let k = 0; k < j; k++) sum -= lower[i * p + k]! * lower[j * p + k]!;
      if (i !== j) lower[i * p + j] = sum / lower[j * p + j]!;
      else if (!(sum > 0) || sum === Number.POSITIVE_INFINITY) return undefined;
      else lower[i * p + i] = Math.sqrt(sum);
    }
  }
  return lower;
}

/** Solves L L' x = b in place of b. */
export function solveCholesky(lower: Float64Array, b: Float64Array): Float64Array {
  const p = b.length;
  for (let i = 0; i < p; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= lower[i * p + k]! * b[k]!;
    b[i] = sum / lower[i * p + i]!;
  }
  for (let i = p - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let k = i + 1; k < p; k++) sum -= lower[k * p + i]! * b[k]!;
    b[i] = sum / lower[i * p + i]!;
  }
  return b;
}

/** Eigenvalues of a symmetric p x p matrix, ascending (cyclic Jacobi rotations). */
export function symmetricEigenvalues(matrix: Numbers, p: number): Float64Array {
  const a = Float64Array.from(matrix);
  for (let sweep = 0; sweep < 100; sweep++) {
    let off = 0;
    let all = 0;
    for (let i = 0; i < p; i++)
      for (let j = 0; j < p; j++) {
        all += a[i * p + j]! ** 2;
        if (i !== j) off += a[i * p + j]! ** 2;
      }
    if (off <= 1e-32 * all) break;
    for (let i = 0; i < p; i++) for (let j = i + 1; j < p; j++) rotate(a, p, i, j);
  }
  return Float64Array.from({ length: p }, (_, i) => a[i * p + i]!).sort();
}

/** One Jacobi rotation that makes a[i][j] zero. */
function rotate(a: Float64Array, p: number, i: number, j: number): void {
  const apq = a[i * p + j]!;
  if (apq === 0) return;
  const theta = (a[j * p + j]! - a[i * p + i]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < p; k++) {
    const x = a[k * p + i]!;
    const y = a[k * p + j]!;
    a[k * p + i] = c * x - s * y;
    a[k * p + j] = s * x + c * y;
  }
  for (let k = 0; k < p; k++) {
    const x = a[i * p + k]!;
    const y = a[j * p + k]!;
    a[i * p + k] = c * x - s * y;
    a[j * p + k] = s * x + c * y;
  }
}

/** An ordinary least-squares fit of `y` (n) on the columns of `x` (each n long). */
export interface LeastSquares {
  readonly coefficients: Float64Array;
  readonly residuals: Float64Array;
  /** Residual standard deviation with n - p degrees of freedom; 0 where there are none. */
  readonly sigma: number;
  readonly degreesOfFreedom: number;
  /** Standard error of the fitted mean at a row of regressors, in units of sigma: sqrt(x' (X'X)^-1 x). */
  leverage(row: Numbers): number;
}

/** Least squares through Householder QR; undefined where the columns are linearly dependent. */
export function leastSquares(columns: readonly Numbers[], y: Numbers): LeastSquares | undefined {
  const n = y.length;
  const p = columns.length;
  const a = columns.map(column => Float64Array.from(column));
  const rhs = Float64Array.from(y);
  for (let j = 0; j < p; j++) if (n <= j || !reflect(a, rhs, j, n)) return undefined;
  const upper = (i: number, j: number) => a[j]![i]!;
  const coefficients = new Float64Array(p);
  for (let i = p - 1; i >= 0; i--) {
    let sum = rhs[i]!;
    for (let k = i + 1; k < p; k++) sum -= upper(i, k) * coefficients[k]!;
    coefficients[i] = sum / upper(i, i);
  }
  const residuals = Float64Array.from(y, (value, i) => {
    let fitted = 0;
    for (let j = 0; j < p; j++) fitted += coefficients[j]! * columns[j]![i]!;
    return value - fitted;
  });
  const degreesOfFreedom = n - p;
  const sum = residuals.reduce((total, r) => total + r * r, 0);
  return {
    coefficients,
    residuals,
    sigma: degreesOfFreedom > 0 ? Math.sqrt(sum / degreesOfFreedom) : 0,
    degreesOfFreedom,
    leverage: row => {
      const z = new Float64Array(p); // R' z = row
      for (let i = 0; i < p; i++) {
        let rest = row[i]!;
        for (let k = 0; k < i; k++) rest -= upper(k, i) * z[k]!;
        z[i] = rest / upper(i, i);
      }
      return Math.hypot(...z);
    },
  };
}

/** Householder reflection of column j; false where nothing independent of the earlier columns is left in it. */
function reflect(a: readonly Float64Array[], rhs: Float64Array, j: number, n: number): boolean {
  const column = a[j]!;
  let whole = 0;
  let below = 0;
  for (let i = 0; i < n; i++) {
    whole += column[i]! ** 2;
    if (i >= j) below += column[i]! ** 2;
  }
  const norm = Math.sqrt(below);
  if (!(norm > 1e-12 * Math.sqrt(whole)) || !Number.isFinite(norm)) return false;
  const v = column.slice(j);
  const alpha = v[0]! > 0 ? -norm : norm;
  v[0]! -= alpha;
  const scale = 2 / v.reduce((sum, x) => sum + x * x, 0);
  for (const target of [...a.slice(j), rhs]) {
    let dot = 0;
    for (let i = j; i < n; i++) dot += v[i - j]! * target[i]!;
    for (let i = j; i < n; i++) target[i]! -= scale * dot * v[i - j]!;
  }
  return true;
}
