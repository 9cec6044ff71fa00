/**
 * The two-step law (Bhagia et al. 2024, arXiv 2412.04403): parameters and tokens give the loss by Chinchilla's law, the loss gives the
 * task metric by a logistic curve. The steps are fitted one after the other, the second on the measured losses, and chained to predict.
 */
import { InputError } from '../base/index.ts';
import { chinchilla } from './chinchilla.ts';
import { geometricMean, type Law } from './law.ts';
import type { Minimum, Problem } from './minimize.ts';
import {
  type Choice,
  defaultHuber,
  elsewhereOf,
  fitStage,
  type Model,
  residualsOf,
  type Search,
  type Stage,
} from './model.ts';
import { ceilingOf, directionOf, type Points } from './points.ts';
import { allowedRise, dispersionOf } from './profile.ts';
import { sigmoid } from './sigmoid.ts';

const LOSS_COEFFICIENTS = 5;

export function fitTwoStep(points: Points, choice: Choice, search: Search = {}): Model | undefined {
  const { loss } = points;
  if (loss === undefined)
    throw new InputError(points.source, 'the two-step law needs a loss column: name it with --loss');
  const lossLaw = chinchilla({
    direction: 'falling',
    axisNames: points.axes.map(axis => axis.name),
    scales: points.axes.map(axis => geometricMean(axis.values)),
    ceiling: Number.POSITIVE_INFINITY,
    floor: 0,
  });
  const metricLaw = sigmoid(
    {
      direction: directionOf(loss.values, points.target.values),
      axisNames: [loss.name],
      scales: [geometricMean(loss.values)],
      ceiling: ceilingOf(choice.kind),
      floor: choice.floor,
    },
    'linear',
    ['ceiling', 'steepness', 'midpoint'],
  );
  const axes = points.axes.map(axis => axis.values);
  const { from } = search;
  const part = (begin: number, end?: number) => (from ? { from: from.slice(begin, end) } : {});
  const lossData = { axes, y: loss.values };
  const first = fitStage(lossLaw, lossData, defaultHuber('loss'), choice, {
    ...search,
    ...part(0, LOSS_COEFFICIENTS),
  });
  const data = { axes: [loss.values], y: points.target.values };
  const second = fitStage(metricLaw, data, choice.huber, choice, part(LOSS_COEFFICIENTS));
  return first && second && chain(first, second, points, choice);
}

/** The two stages as one model: theta is that of the loss law followed by that of the metric law. */
function chain(first: Stage, second: Stage, points: Points, choice: Choice): Model {
  const law = chainLaws(first.law, second.law);
  const theta = concat(first.solution.minimum.theta, second.solution.minimum.theta);
  const residuals = residualsOf(second);
  const dispersions = [
    dispersionOf(residualsOf(first), first.huber.delta, first.law.lower.length),
    dispersionOf(residuals, second.huber.delta, second.law.lower.length),
  ] as const;
  const joint = sumOfProblems(first, second, [dispersions[0].lambda, dispersions[1].lambda]);
  const value = joint.value(theta, new Float64Array(theta.length));
  const degreesOfFreedom = Math.min(...dispersions.map(d => d.degreesOfFreedom));
  const minimum: Minimum = { ...first.solution.minimum, theta, value };
  return {
    choice,
    points,
    law,
    theta,
    stages: [first, second],
    objective: first.solution.minimum.value + second.solution.minimum.value,
    joint,
    minimum,
    elsewhere: elsewhereOf(second).map(start => concat(first.solution.minimum.theta, start)),
    rise: level => allowedRise({ lambda: 1, slope: 1, degreesOfFreedom }, level),
    residuals,
    degreesOfFreedom,
  };
}

function concat(a: Float64Array, b: Float64Array): Float64Array {
  const both = new Float64Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** `metric(loss(N, D))`, its gradient by the chain rule. */
export function chainLaws(loss: Law, metric: Law): Law {
  const p = loss.lower.length;
  const q = metric.lower.length;
  return {
    form: 'two-step',
    setting: { ...loss.setting, ceiling: metric.setting.ceiling, floor: metric.setting.floor },
    formula: `${metric.formula} with ${metric.setting.axisNames[0]} = ${loss.formula.slice('y = '.length)}`,
    coefficients: [...loss.coefficients, ...metric.coefficients],
    lower: concat(loss.lower, metric.lower),
    upper: concat(loss.upper, metric.upper),
    prepare: loss.prepare,
    evaluate(theta, prepared, values, jacobian) {
      const n = values.length;
      const losses = new Float64Array(n);
      const lossJacobian = new Float64Array(n * p);
      loss.evaluate(theta.subarray(0, p), prepared, losses, lossJacobian);
      const metricTheta = theta.subarray(p);
      const onAxis = metric.prepare([losses]);
      const metricJacobian = new Float64Array(n * q);
      metric.evaluate(metricTheta, onAxis, values, metricJacobian);
      if (jacobian === undefined) return;
      for (let i = 0; i < n; i++) {
        // the curve depends on loss - midpoint: its slope in the loss is minus that in the midpoint
        const slope = -metricJacobian[i * q + q - 1]!;
        for (let j = 0; j < p; j++) jacobian[i * (p + q) + j] = slope * lossJacobian[i * p + j]!;
        for (let j = 0; j < q; j++) jacobian[i * (p + q) + p + j] = metricJacobian[i * q + j]!;
      }
    },
    toCoefficients(theta, jacobian) {
      const first = new Float64Array(p * p);
      const second = new Float64Array(q * q);
      const all = concat(
        loss.toCoefficients(theta.slice(0, p), first),
        metric.toCoefficients(theta.slice(p), second),
      );
      if (jacobian !== undefined) {
        jacobian.fill(0);
        for (let i = 0; i < p; i++) jacobian.set(first.subarray(i * p, i * p + p), i * (p + q));
        for (let i = 0; i < q; i++) jacobian.set(second.subarray(i * q, i * q + q), (p + i) * (p + q) + p);
      }
      return all;
    },
    fromCoefficients: c => {
      const all = Float64Array.from(c);
      return concat(
        loss.fromCoefficients(all.subarray(0, LOSS_COEFFICIENTS)),
        metric.fromCoefficients(all.subarray(LOSS_COEFFICIENTS)),
      );
    },
  };
}

/** Both objectives, each in units of its own dispersion, as one function of both thetas. */
function sumOfProblems(first: Stage, second: Stage, lambdas: readonly [number, number]): Problem {
  const [a, b] = [first.solution.problem, second.solution.problem];
  const p = a.lower.length;
  const size = p + b.lower.length;
  const weights = lambdas.map(lambda => (lambda > 0 ? 1 / lambda : 0)) as [number, number];
  const block = [new Float64Array(p), new Float64Array(size - p)] as const;
  return {
    lower: concat(a.lower, b.lower),
    upper: concat(a.upper, b.upper),
    value(theta, gradient) {
      const value =
        weights[0] * a.value(theta.subarray(0, p), block[0]) +
        weights[1] * b.value(theta.subarray(p), block[1]);
      for (let j = 0; j < size; j++)
        gradient[j] = j < p ? weights[0] * block[0][j]! : weights[1] * block[1][j - p]!;
      return value;
    },
    curvature(hessian) {
      hessian.fill(0);
      for (const [problem, weight, from] of [
        [a, weights[0], 0],
        [b, weights[1], p],
      ] as const) {
        const m = problem.lower.length;
        const own = new Float64Array(m * m);
        problem.curvature(own);
        for (let i = 0; i < m; i++)
          for (let j = 0; j < m; j++) hessian[(from + i) * size + from + j] = weight * own[i * m + j]!;
      }
    },
  };
}
