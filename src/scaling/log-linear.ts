/** `y = level + slope * log10(C / C0)`: the straight line every other form has to beat. */
import { leastSquares } from '../stats/index.ts';
import { type FittableLaw, type LawSetting, logScaled } from './law.ts';

export function logLinear(setting: LawSetting): FittableLaw {
  const axis = setting.axisNames[0]!;
  const unbounded = (sign: 1 | -1) => new Float64Array(2).fill(sign * Number.POSITIVE_INFINITY);
  return {
    form: 'log-linear',
    setting,
    formula: `y = level + slope * log10(${axis} / ${setting.scales[0]!.toExponential(4)})`,
    coefficients: [
      {
        name: 'level',
        meaning: `the value at the geometric mean of the ${axis} in the table`,
        logarithmic: false,
      },
      { name: 'slope', meaning: `the gain for ten times the ${axis}`, logarithmic: false },
    ],
    lower: unbounded(-1),
    upper: unbounded(1),
    prepare: axes => [logScaled(axes[0]!, setting.scales[0]!).map(x => x / Math.LN10)],
    evaluate(theta, [x], values, jacobian) {
      for (let i = 0; i < values.length; i++) {
        values[i] = theta[0]! + theta[1]! * x![i]!;
        if (jacobian === undefined) continue;
        jacobian[2 * i] = 1;
        jacobian[2 * i + 1] = x![i]!;
      }
    },
    toCoefficients(theta, jacobian) {
      jacobian?.set([1, 0, 0, 1]);
      return theta.slice();
    },
    fromCoefficients: coefficients => Float64Array.from(coefficients),
    starts([x], y) {
      const fit = leastSquares([new Float64Array(y.length).fill(1), x!], y);
      const first = y[0]!;
      const start = fit?.coefficients ?? Float64Array.of(first, 0);
      return [start, Float64Array.of(start[0]!, 0), Float64Array.of(first, 2 * start[1]!)];
    },
  };
}
