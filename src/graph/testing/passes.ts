/** What the tests of passes share: a graph before and after must compute the same. */
import assert from 'node:assert/strict';
import { Rng } from '../../base/index.ts';
import {
  evaluate,
  type Graph,
  input,
  type Numbers,
  tensor,
  toNumbers,
  type Value,
  verify,
} from '../index.ts';

/** A float64 input. */
export const f = (name: string, ...shape: number[]): Value => input(name, 'float64', shape);
export const opsOf = (graph: Graph): string[] =>
  graph.nodes.filter(node => node.op !== 'Constant').map(node => node.op);
export const count = (graph: Graph, op: string): number => opsOf(graph).filter(name => name === op).length;

function randomFeeds(graph: Graph): Record<string, Numbers> {
  return Object.fromEntries(
    graph.inputs.map(({ name, type }) => {
      const shape = type.shape as readonly number[];
      const rng = Rng.from(17, name!);
      const length = shape.reduce((n, dim) => n * dim, 1);
      return [
        name,
        toNumbers(
          tensor(
            type.dtype,
            shape,
            Array.from({ length }, () => rng.normal()),
          ),
        ),
      ];
    }),
  );
}

/** Runs both graphs on the same numbers. Rounding may differ, nothing else. */
export function assertSame(before: Graph, after: Graph): Graph {
  verify(after);
  const feeds = randomFeeds(before);
  const [expected, actual] = [evaluate(before, feeds), evaluate(after, feeds)];
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  for (const [name, { shape, data }] of Object.entries(expected)) {
    assert.deepEqual(actual[name]!.shape, shape);
    data.forEach((value, i) => {
      const gap = Math.abs(actual[name]!.data[i]! - value);
      assert.ok(gap <= 1e-12 * Math.max(1, Math.abs(value)), `${name}[${i}] off by ${gap}`);
    });
  }
  return after;
}
