/** AdamW and gradient clipping as graph values. */
import {
  add,
  div,
  minimum,
  mul,
  reduceSumSquare,
  scalarLike,
  sqrt,
  sub,
  type Value,
} from '../graph/index.ts';

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled: p shrinks by (lr / peak lr) * weightDecay a step, as composer's DecoupledAdamW does. */
  readonly weightDecay: number;
}

/** llm-foundry's settings for every rung of the ladder. */
export const LADDER_ADAMW: AdamWOptions = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0 };

export interface AdamWState {
  readonly parameter: Value;
  readonly firstMoment: Value;
  readonly secondMoment: Value;
}

/** Scalars of one step, as graph values. */
export interface StepScalars {
  readonly learningRate: Value;
  /** learning rate / peak learning rate: what decoupled weight decay follows */
  readonly decayScale: Value;
  /** 1 - beta1^t and 1 - beta2^t for step t, counted from 1 */
  readonly bias1: Value;
  readonly bias2: Value;
}

/** The square root of the sum of squares of all gradients: () */
export function globalNorm(gradients: readonly Value[]): Value {
  const squares = gradients.map(gradient =>
    reduceSumSquare(
      gradient,
      gradient.type.shape.map((_, i) => i),
      false,
    ),
  );
  return sqrt(squares.reduce((a, b) => add(a, b)));
}

/** What gradients are multiplied by so that their norm is at most `maxNorm` (torch.nn.utils.clip_grad_norm_). */
export function clipFactor(norm: Value, maxNorm: number): Value {
  return minimum(scalarLike(norm, 1), div(scalarLike(norm, maxNorm), add(norm, scalarLike(norm, 1e-6))));
}

/**
 * One decoupled AdamW step for one tensor, for the gradient times `factor`:
 * m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p = p (1 - decay) - lr (m / bias1) / (sqrt(v / bias2) + eps)
 * arranged so that scalars are combined first and each tensor is passed over as rarely as possible.
 */
export function adamWStep(
  state: AdamWState,
  gradient: Value,
  factor: Value,
  scalars: StepScalars,
  options: AdamWOptions,
): AdamWState {
  const { beta1, beta2, epsilon, weightDecay } = options;
  const { parameter, firstMoment, secondMoment } = state;
  const number = (value: number) => scalarLike(parameter, value);
  const m = add(mul(firstMoment, number(beta1)), mul(gradient, mul(factor, number(1 - beta1))));
  const scaledSquare = mul(mul(gradient, gradient), mul(mul(factor, factor), number(1 - beta2)));
  const v = add(mul(secondMoment, number(beta2)), scaledSquare);
  // lr/bias1 * m / (sqrt(v)/sqrt(bias2) + eps) = (lr sqrt(bias2)/bias1) * m / (sqrt(v) + eps sqrt(bias2))
  const root2 = sqrt(scalars.bias2);
  const step = div(mul(scalars.learningRate, root2), scalars.bias1);
  const update = mul(div(m, add(sqrt(v), mul(root2, number(epsilon)))), step);
  const decayed =
    weightDecay === 0
      ? parameter
      : mul(parameter, sub(number(1), mul(scalars.decayScale, number(weightDecay))));
  return { parameter: sub(decayed, update), firstMoment: m, secondMoment: v };
}
