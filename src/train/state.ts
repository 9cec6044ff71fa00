/** The state of a training run: parameters and the optimizer's two moments, as the engine's own feeds. */
import { InputError } from '../base/index.ts';
import type { Tensor } from '../graph/index.ts';
import { type MptConfig, mptParameters } from '../models/index.ts';
import { initialize } from '../nn/index.ts';
import { STATE_PREFIXES } from './state-graph.ts';

/** `p:NAME`, `m:NAME`, `v:NAME` for every parameter. The arrays are overwritten in place by training. */
export type TrainingState = Record<string, Tensor>;

const zerosOf = (shape: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: new Float32Array(elements(shape)),
});
const elements = (shape: readonly number[]): number => shape.reduce((n, dim) => n * dim, 1);

/** A fresh model, drawn by seed, and an optimizer that has seen nothing. */
export function initialState(config: MptConfig, seed: number): TrainingState {
  const weights = new Map(
    mptParameters(config).map(({ name, shape, initializer }) => {
      const data = initialize(name, elements(shape), initializer, seed);
      return [name, { dtype: 'float32', shape, data } as Tensor];
    }),
  );
  return stateFromWeights(config, weights, 'initial state');
}

/** Weights from elsewhere with an optimizer that has seen nothing. `where` names their source in errors. */
export function stateFromWeights(
  config: MptConfig,
  weights: ReadonlyMap<string, Tensor>,
  where: string,
): TrainingState {
  const state: TrainingState = {};
  for (const { name, shape } of mptParameters(config)) {
    const weight = weights.get(name);
    if (!weight) throw new InputError(where, `has no tensor ${name}`);
    if (weight.shape.join() !== shape.join())
      throw new InputError(where, `${name} is [${weight.shape}], the model wants [${shape}]`);
    state[STATE_PREFIXES.parameter + name] = weight;
    state[STATE_PREFIXES.firstMoment + name] = zerosOf(shape);
    state[STATE_PREFIXES.secondMoment + name] = zerosOf(shape);
  }
  return state;
}

/** Names and shapes of everything a state holds. */
export function stateShapes(config: MptConfig): Map<string, readonly number[]> {
  const prefixes = Object.values(STATE_PREFIXES);
  return new Map(
    mptParameters(config).flatMap(({ name, shape }) =>
      prefixes.map(prefix => [prefix + name, shape] as const),
    ),
  );
}

/** The weights alone, by the model's names. */
export function weightsOf(config: MptConfig, state: TrainingState): Map<string, Tensor> {
  return new Map(mptParameters(config).map(({ name }) => [name, state[STATE_PREFIXES.parameter + name]!]));
}

export function copyState(state: TrainingState): TrainingState {
  return Object.fromEntries(
    Object.entries(state).map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]),
  );
}
