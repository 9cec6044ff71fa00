/** The optimizer's state in a graph: its inputs, its update, its outputs. */
import { input, mul, type Value } from '../graph/index.ts';
import { type MptConfig, mptParameters, type ParameterValues } from '../models/index.ts';
import {
  type AdamWOptions,
  type AdamWState,
  adamWStep,
  clipFactor,
  globalNorm,
  type StepScalars,
} from '../nn/index.ts';

/** Prefixes of the three tensors the optimizer keeps of each parameter. */
export const STATE_PREFIXES = { parameter: 'p:', firstMoment: 'm:', secondMoment: 'v:' } as const;

/** All parameters with their moments, in the model's order. */
export type StateValues = readonly AdamWState[];

/** Graph inputs `p:NAME`, `m:NAME`, `v:NAME`. */
export function stateInputs(config: MptConfig): StateValues {
  const { parameter, firstMoment, secondMoment } = STATE_PREFIXES;
  return mptParameters(config).map(({ name, shape }) => ({
    parameter: input(parameter + name, 'float32', shape),
    firstMoment: input(firstMoment + name, 'float32', shape),
    secondMoment: input(secondMoment + name, 'float32', shape),
  }));
}

export function flattenState(state: StateValues): Value[] {
  return state.flatMap(({ parameter, firstMoment, secondMoment }) => [parameter, firstMoment, secondMoment]);
}

/** The inverse of `flattenState`. */
export function unflattenState(values: readonly Value[]): StateValues {
  return Array.from({ length: values.length / 3 }, (_, i) => {
    const [parameter, firstMoment, secondMoment] = values.slice(3 * i, 3 * i + 3) as [Value, Value, Value];
    return { parameter, firstMoment, secondMoment };
  });
}

export function parametersOf(config: MptConfig, state: StateValues): ParameterValues {
  return new Map(mptParameters(config).map(({ name }, i) => [name, state[i]!.parameter]));
}

export interface UpdateOptions {
  readonly maxGradNorm: number;
  readonly adamW: AdamWOptions;
}

/**
 * One optimizer step. `gradients` are of a sum; `scale` () makes them those of the mean. The factor joins the clipping factor instead of
 * costing a pass over every gradient.
 */
export function updateState(
  state: StateValues,
  gradients: readonly Value[],
  scale: Value,
  scalars: StepScalars,
  { maxGradNorm, adamW }: UpdateOptions,
): { readonly state: StateValues; readonly gradNorm: Value } {
  const gradNorm = mul(globalNorm(gradients), scale);
  const factor = mul(clipFactor(gradNorm, maxGradNorm), scale);
  return { state: state.map((s, i) => adamWStep(s, gradients[i]!, factor, scalars, adamW)), gradNorm };
}
