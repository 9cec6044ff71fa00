import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../base/index.ts';
import { FIT_DEFAULTS, fit, PLANTED, simulatedLadder } from '../scaling/index.ts';
import { renderPng, renderSvg, scalingFigure, writeFigure } from './index.ts';

const options = {
  ...FIT_DEFAULTS,
  holdout: 'largest',
  resamples: 0,
  convention: '6nd',
  starts: 200,
} as const;

test('the figure of a law in compute: convention on the axis, decades as powers, the held-out model named', async () => {
  const report = fit(simulatedLadder({ ...PLANTED.power, noise: 0.005, seed: 1 }), {
    ...options,
    form: 'power',
  });
  const svg = await renderSvg(
    scalingFigure(report, { title: 'A title', errors: report.points.target.map(() => 0.01) }),
  );
  assert.match(svg, /pretraining FLOPs \(6ND\)/);
  assert.match(svg, />10²¹</);
  assert.match(svg, /held out: 6659m/);
  assert.match(svg, /A title/);
  assert.doesNotMatch(svg, /NaN|undefined/);
  const png = renderPng(svg, 1);
  assert.deepEqual([...png.slice(1, 4)], [...Buffer.from('PNG')]);
  assert.deepEqual(renderPng(svg, 1), png, 'the same bytes again');
});

test('the figure of a joint law draws a line a size, the held-out size among them', async () => {
  const report = fit(simulatedLadder({ ...PLANTED.chinchilla, noise: 0.005, seed: 1 }), {
    ...options,
    form: 'chinchilla',
  });
  const svg = await renderSvg(scalingFigure(report));
  for (const size of ['125M', '356M', '760M', '1.32B', '2.65B', '6.66B'])
    assert.match(svg, new RegExp(`>${size}<`));
  assert.match(svg, /one line a size/);
});

test('a figure fetches nothing and has a known ending; a fit that is not identified has none', async () => {
  await assert.rejects(writeFigure({ mark: 'point', data: { values: [] } }, 'figure.jpg'), InputError);
  const points = simulatedLadder({ ...PLANTED.power, noise: 0.005, seed: 1 });
  const report = fit(points, { ...options, form: 'power' });
  assert.throws(() => scalingFigure({ ...report, coefficients: null, warnings: ['why'] }), /not identified/);
});
