import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Duration, expectation, makespan, type Task, urgency } from './history.ts';

const task = (name: string, seconds: number, ...needs: string[]): Task => ({ name, seconds, needs });

test('the urgency of a task is the longest way to an end', () => {
  const tasks = [task('a', 1), task('b', 2, 'a'), task('c', 5, 'a'), task('d', 1, 'b', 'c')];
  assert.deepEqual(Object.fromEntries(urgency(tasks)), { a: 7, b: 3, c: 6, d: 1 });
});

test('the makespan of known schedules', () => {
  assert.equal(makespan([], 2), 0);
  assert.equal(makespan([task('a', 3), task('b', 3), task('c', 4)], 1), 10);
  assert.equal(makespan([task('a', 3), task('b', 3), task('c', 6)], 2), 6);
  assert.equal(makespan([task('a', 1), task('b', 1, 'a'), task('c', 1, 'b')], 8), 3);
  assert.equal(makespan([task('b', 2, 'gone')], 2), 2);
  assert.equal(makespan([{ ...task('a', 4), threads: 2 }, task('b', 1), task('c', 1)], 2), 5);
  assert.equal(makespan([{ ...task('a', 4), threads: 2 }, task('b', 1), task('c', 1)], 1), 6);
  assert.equal(makespan([{ ...task('a', 1), running: true }, task('b', 9)], 1), 10);
  assert.equal(
    makespan([{ ...task('a', 5), running: true }, { ...task('b', 6), running: true }, task('c', 10)], 2),
    15,
  );
});

/** Random graphs in which every task needs only earlier ones. */
const graphs = fc
  .array(fc.record({ seconds: fc.nat(20), needs: fc.array(fc.nat(100), { maxLength: 3 }) }), {
    maxLength: 25,
  })
  .map(raw =>
    raw.map(({ seconds, needs }, i) =>
      task(String(i), seconds, ...new Set(needs.filter(() => i > 0).map(need => String(need % i)))),
    ),
  );

test('no schedule beats the work divided by the workers or the longest chain, and list scheduling is within twice that', () => {
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 5 }), (tasks, workers) => {
      const work = tasks.reduce((sum, { seconds }) => sum + seconds, 0);
      const longest = Math.max(0, ...urgency(tasks).values());
      const bound = Math.max(work / workers, longest);
      const span = makespan(tasks, workers);
      assert.ok(span >= bound - 1e-9, `${span} < ${bound}`);
      assert.ok(span <= work / workers + longest + 1e-9); // Graham (1966)
    }),
  );
});

test('expectations rest on the best evidence', () => {
  const past = (seconds: number, flops?: number, identity = 'x', machine = 'here'): Duration => ({
    kind: 'k',
    identity,
    seconds,
    flops,
    machine,
  });
  const expect = (identity: string, estimate: object, ...durations: Duration[]) =>
    expectation('k', identity, estimate, durations, 'here');
  assert.deepEqual(expect('x', { flops: 8 }, past(3, 6), past(5, 6)), {
    flops: 8,
    seconds: 4,
    basis: 'same',
  });
  assert.deepEqual(expect('y', { flops: 8 }, past(3, 6)), { flops: 8, seconds: 4, basis: 'rate' });
  assert.deepEqual(expect('y', {}, past(3), past(9), past(4)), { seconds: 4, basis: 'similar' });
  assert.deepEqual(expect('y', {}, past(3), past(100, 1, 'z', 'faster')), { seconds: 3, basis: 'similar' });
  assert.deepEqual(expect('y', {}, past(100, 1, 'z', 'faster')), { seconds: 100, basis: 'similar' });
  assert.deepEqual(expect('y', { seconds: 7, flops: 2 }), { flops: 2, seconds: 7, basis: 'estimate' });
  assert.deepEqual(expect('y', {}), {});
});
