/** Numbers for the tests of this folder. */
import assert from 'node:assert/strict';
import { Rng } from '../../base/index.ts';
import { input, type Numbers, tensor, toNumbers, type Value } from '../../graph/index.ts';

export const f64 = (name: string, ...shape: number[]): Value => input(name, 'float64', shape);
export const numbers = (shape: readonly number[], data: readonly number[]): Numbers =>
  toNumbers(tensor('float64', shape, data));
export const random = (name: string, count: number): number[] => {
  const rng = Rng.from(5, name);
  return Array.from({ length: count }, () => rng.normal());
};

export function near(actual: readonly number[], expected: readonly number[], relative = 1e-12): void {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) => {
    const gap = Math.abs(value - expected[i]!);
    assert.ok(
      gap <= relative * Math.max(1, Math.abs(expected[i]!)),
      `[${i}] ${value}, expected ${expected[i]}`,
    );
  });
}
