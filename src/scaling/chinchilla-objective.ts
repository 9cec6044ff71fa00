/**
 * The summed Huber function of Chinchilla's log residuals and its gradient in one loop without logarithms.
 * Where |r| > delta only the sum of |r| is needed, which is the logarithm of a product of ratios, taken once; where |r| <= delta the
 * ratio is so near 1 that a few terms of ln(1 + u) are exact. What remains is two exponentials a point.
 */
import { fastExp } from './exponential.ts';
import type { Objective } from './law.ts';

/** With |u| below this, six terms of the series of ln(1 + u) leave an error below 1e-17. */
const SERIES_LIMIT = 2e-3;
/** The product is taken out before it can overflow. */
const LARGE = 1e100;

function logNearOne(u: number): number {
  if (Math.abs(u) > SERIES_LIMIT) return Math.log1p(u);
  return u * (1 - u * (1 / 2 - u * (1 / 3 - u * (1 / 4 - u * (1 / 5 - u / 6)))));
}

/** `sign` is -1 for losses (terms are added to E), +1 for scores; x and z are the prepared inputs. */
export function chinchillaLogHuber(
  sign: 1 | -1,
  [x, z]: readonly Float64Array[],
  y: Float64Array,
  delta: number,
): Objective {
  const n = y.length;
  const inverse = y.map(value => 1 / value);
  const [above, below] = [Math.exp(delta), Math.exp(-delta)];
  return (theta, gradient) => {
    const [limit, a, b, alpha, beta] = theta as unknown as [number, number, number, number, number];
    let [quadratic, logs, product, clipped] = [0, 0, 1, 0];
    let [g0, g1, g2, g3, g4] = [0, 0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const xi = x![i]!;
      const zi = z![i]!;
      const termN = -sign * fastExp(a - alpha * xi);
      const termD = -sign * fastExp(b - beta * zi);
      const value = limit + termN + termD;
      const ratio = value * inverse[i]!;
      if (!(ratio > 0)) return Number.POSITIVE_INFINITY;
      let pull: number;
      if (ratio > above || ratio < below) {
        product *= ratio > 1 ? ratio : 1 / ratio;
        clipped++;
        pull = ratio > 1 ? delta : -delta;
        if (product > LARGE) {
          logs += Math.log(product);
          product = 1;
        }
      } else {
        pull = logNearOne(ratio - 1);
        quadratic += 0.5 * pull * pull;
      }
      const weight = pull / value;
      const weightN = weight * termN;
      const weightD = weight * termD;
      g0 += weight;
      g1 += weightN;
      g2 += weightD;
      g3 -= weightN * xi;
      g4 -= weightD * zi;
    }
    gradient[0] = g0;
    gradient[1] = g1;
    gradient[2] = g2;
    gradient[3] = g3;
    gradient[4] = g4;
    return quadratic + delta * (logs + Math.log(product) - 0.5 * delta * clipped);
  };
}
