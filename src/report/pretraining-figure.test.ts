import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LossSeries, lossFigure, renderSvg, smoothed } from './index.ts';

const line = (count: number, y: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => ({ x: 100 * (i + 1), y: y(i) }));

test('smoothing keeps straight lines straight, constants constant, and the last point in place', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      (count, share) => {
        const points = line(count, i => 8 - i / 1000);
        const means = smoothed(points, share);
        assert.ok(means.length <= 400 && means.length >= 1);
        assert.equal(means.at(-1)!.x, points.at(-1)!.x);
        for (const { x, y } of means) assert.ok(Math.abs(y - (8 - (x / 100 - 1) / 1000)) < 1e-9);
      },
    ),
  );
});

test('smoothing takes noise away and nothing else', () => {
  const noisy = line(4000, i => 5 + (i % 2 === 0 ? 1 : -1));
  const inner = smoothed(noisy).filter(({ x }) => x > 5000 && x < 395_000);
  assert.ok(inner.every(({ y }) => Math.abs(y - 5) < 0.02));
});

test('smoothing is the mean of a centred window', () => {
  const points = line(50, i => Math.sin(i));
  const means = smoothed(points, 0.1); // five on each side
  for (const [i, { y }] of means.entries()) {
    const reach = Math.min(5, i, 49 - i);
    const window = points.slice(i - reach, i + reach + 1);
    assert.ok(Math.abs(y - window.reduce((sum, point) => sum + point.y, 0) / window.length) < 1e-12);
  }
});

const series: LossSeries[] = ['trunk', 'tokens-1000'].map((name, k) => ({
  name,
  train: line(900, i => 8 - k - i / 300),
  heldOut: line(9, i => 8 - k - i / 3),
}));

test('the figure names its series, axes and units, and draws a point an evaluation', async () => {
  const svg = await renderSvg(lossFigure(series, { title: 'A run' }));
  for (const text of ['trunk', 'tokens-1000', 'A run', 'loss, nats a token', 'tokens'])
    assert.match(svg, new RegExp(`>${text}<`));
  assert.doesNotMatch(svg, /NaN|undefined/);
  assert.ok((svg.match(/aria-roledescription="point"/g) ?? []).length >= 18);
  const alone = await renderSvg(lossFigure(series.slice(0, 1)));
  assert.doesNotMatch(alone, />trunk</, 'one series needs no legend');
});

test('a logarithmic axis leaves out what it cannot show; a series without points draws nothing', async () => {
  const withZero = [
    { name: 'a', train: [{ x: 0, y: 9 }, ...line(9, i => 8 - i)], heldOut: [{ x: 0, y: 9 }] },
  ];
  assert.doesNotMatch(await renderSvg(lossFigure(withZero, { logTokens: true })), /NaN|Infinity/);
  assert.match(await renderSvg(lossFigure([{ name: 'none', train: [], heldOut: [] }])), /^<svg/);
});
