/** A logistic curve in log10 C between a known floor and a ceiling E to be found: `y = floor + (E - floor) / (1 + exp(-k (log10 C - mid)))`. */
import { leastSquares } from '../stats/index.ts';
import { clamp, type FittableLaw, type LawSetting, signOf, spanOf } from './law.ts';

/**
 * theta = (E, ln k, mid counted from the middle of the table). A law that falls has exp(+k ...). On a `linear` axis
 * (a loss, in the two-step law) the curve runs over the value itself instead of its log10.
 */
export function sigmoid(
  setting: LawSetting,
  scale: 'log10' | 'linear' = 'log10',
  [top, steepness, middle]: readonly [string, string, string] = ['E', 'k', 'mid'],
): FittableLaw {
  const sign = signOf(setting.direction);
  const axis = setting.axisNames[0]!;
  const { floor } = setting;
  const toAxis = scale === 'log10' ? Math.log10 : (x: number) => x;
  const centre = toAxis(setting.scales[0]!);
  const shown = scale === 'log10' ? `log10(${axis})` : axis;
  const lower = Float64Array.of(floor, Math.log(1e-3), -40);
  const upper = Float64Array.of(setting.ceiling, Math.log(100), 40);
  const floorText = floor === 0 ? '' : `${floor} + `;
  const span = floor === 0 ? top : `(${top} - ${floor})`;
  return {
    form: 'sigmoid',
    setting,
    formula: `y = ${floorText}${span} / (1 + exp(${sign > 0 ? '-' : ''}${steepness} * (${shown} - ${middle})))`,
    coefficients: [
      { name: top, meaning: 'the value at the upper end of the curve', logarithmic: false },
      {
        name: steepness,
        meaning: `the steepness, a ${scale === 'log10' ? 'decade' : 'unit'} of ${axis}`,
        logarithmic: true,
      },
      {
        name: middle,
        meaning: `the ${shown} at which half of the way is gone`,
        logarithmic: false,
      },
    ],
    lower,
    upper,
    prepare: axes => [Float64Array.from(axes[0]!, x => toAxis(x) - centre)],
    evaluate(theta, [x], values, jacobian) {
      const [limit, k, mid] = [theta[0]!, Math.exp(theta[1]!), theta[2]!];
      for (let i = 0; i < values.length; i++) {
        const distance = x![i]! - mid;
        const share = 1 / (1 + Math.exp(-sign * k * distance));
        values[i] = floor + (limit - floor) * share;
        if (jacobian === undefined) continue;
        const slope = (limit - floor) * share * (1 - share) * sign * k;
        jacobian[3 * i] = share;
        jacobian[3 * i + 1] = slope * distance;
        jacobian[3 * i + 2] = -slope;
      }
    },
    toCoefficients(theta, jacobian) {
      const k = Math.exp(theta[1]!);
      jacobian?.set([1, 0, 0, 0, k, 0, 0, 0, 1]);
      return Float64Array.of(theta[0]!, k, theta[2]! + centre);
    },
    fromCoefficients: c => Float64Array.of(c[0]!, Math.log(c[1]!), c[2]! - centre),
    starts: ([x], y) => {
      const { most, width } = spanOf(y);
      const highest = Number.isFinite(setting.ceiling) ? setting.ceiling : most + 10 * width;
      const tops = [0.02, 0.1, 0.3, 1, 3].map(k => Math.min(highest, most + k * width)).concat(highest);
      return tops.flatMap(limit => startsWithTop(limit, floor, sign, x!, y, lower, upper));
    },
  };
}

/** With E fixed, the logit of the data is a line in log10 C: its slope and root, and steeper and flatter ones. */
function startsWithTop(
  top: number,
  floor: number,
  sign: 1 | -1,
  x: Float64Array,
  y: ArrayLike<number>,
  lower: Float64Array,
  upper: Float64Array,
): Float64Array[] {
  const logit = Float64Array.from(y, value => {
    const share = Math.min(0.999, Math.max(0.001, (value - floor) / (top - floor)));
    return sign * Math.log(share / (1 - share));
  });
  const line = leastSquares([new Float64Array(x.length).fill(1), x], logit)?.coefficients ?? [0, 1];
  const slope = Math.max(1e-2, line[1]!);
  return [0.3, 0.6, 1, 1.5, 3].map(factor => {
    const k = slope * factor;
    return clamp(Float64Array.of(top, Math.log(k), -line[0]! / slope), lower, upper);
  });
}
