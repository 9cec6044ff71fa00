/** The saturating power law in one variable: `y = E - A (C/C0)^-alpha` for what rises, `y = E + A (C/C0)^-alpha` for what falls. */
import {
  asymptotes,
  clamp,
  combinations,
  type FittableLaw,
  type LawSetting,
  logScaled,
  signOf,
} from './law.ts';

const ALPHAS = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5] as const;

/** theta = (E, ln A, alpha), with A counted at the geometric mean C0, where it is well determined. */
export function powerLaw(setting: LawSetting): FittableLaw {
  const sign = signOf(setting.direction);
  const axis = setting.axisNames[0]!;
  const lower = Float64Array.of(sign > 0 ? Number.NEGATIVE_INFINITY : 0, -60, 1e-4);
  const upper = Float64Array.of(sign > 0 ? setting.ceiling : Number.POSITIVE_INFINITY, 60, 10);
  return {
    form: 'power',
    setting,
    formula: `y = E ${sign > 0 ? '-' : '+'} A * (${axis} / ${setting.scales[0]!.toExponential(4)})^-alpha`,
    coefficients: [
      {
        name: 'E',
        meaning:
          sign > 0
            ? 'the score that no amount of compute exceeds'
            : 'the value that no amount of compute goes below',
        logarithmic: false,
      },
      {
        name: 'A',
        meaning: `the distance from E at the geometric mean of the ${axis}`,
        logarithmic: true,
      },
      {
        name: 'alpha',
        meaning: `how fast the distance shrinks: ten times the ${axis} divides it by 10^alpha`,
        logarithmic: true,
      },
    ],
    lower,
    upper,
    prepare: axes => [logScaled(axes[0]!, setting.scales[0]!)],
    evaluate(theta, [x], values, jacobian) {
      const [limit, logA, alpha] = [theta[0]!, theta[1]!, theta[2]!];
      for (let i = 0; i < values.length; i++) {
        const missing = sign * Math.exp(logA - alpha * x![i]!);
        values[i] = limit - missing;
        if (jacobian === undefined) continue;
        jacobian[3 * i] = 1;
        jacobian[3 * i + 1] = -missing;
        jacobian[3 * i + 2] = missing * x![i]!;
      }
    },
    toCoefficients(theta, jacobian) {
      const a = Math.exp(theta[1]!);
      jacobian?.set([1, 0, 0, 0, a, 0, 0, 0, 1]);
      return Float64Array.of(theta[0]!, a, theta[2]!);
    },
    fromCoefficients: c => Float64Array.of(c[0]!, Math.log(c[1]!), c[2]!),
    starts([x], y) {
      const limits = asymptotes(setting.direction, y, setting.ceiling);
      return [...combinations([limits, ALPHAS])].map(([limit, alpha]) => {
        let [top, bottom] = [0, 0]; // least squares for A, given E and alpha
        for (let i = 0; i < y.length; i++) {
          const basis = Math.exp(-alpha! * x![i]!);
          top += basis * sign * (limit! - y[i]!);
          bottom += basis * basis;
        }
        const a = Math.max(top / bottom, 1e-6 * Math.abs(limit!) + 1e-12);
        return clamp(Float64Array.of(limit!, Math.log(a), alpha!), lower, upper);
      });
    },
  };
}
