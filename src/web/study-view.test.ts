import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunStatus, StepStatus } from '../study/index.ts';
import { storeView, studyView } from './study-view.ts';

const step = (name: string, more: Partial<StepStatus>): StepStatus => ({
  ...{ name, kind: 'make', needs: [], threads: 1, state: 'waiting', metrics: {}, warnings: [] },
  ...more,
});

const status = (steps: readonly StepStatus[], outcome: RunStatus['outcome'] = 'running'): RunStatus => ({
  ...{ study: 'test', run: 'r', machine: 'here', pid: 7, executor: 'local', workers: 1, startedAt: 0 },
  ...{ outcome, steps },
});

const view = (steps: readonly StepStatus[], metrics: Record<string, Record<string, number>> = {}) =>
  studyView(
    {
      ...{ status: status(steps), metrics: new Map(Object.entries(metrics)) },
      ...{ figure: undefined, report: undefined },
    },
    60_000,
  ).text;

test('what runs is shown with its progress, what failed with its message, all of it escaped', () => {
  const progress = {
    label: 'train',
    total: 9,
    unit: 'tokens',
    done: 4,
    fresh: 4,
    seconds: 2,
    note: '<i>',
    end: false,
  };
  const failure = { reason: 'error' as const, message: '<b>no</b>', logTail: [] };
  const text = view([
    step('a', { state: 'made', seconds: 65 }),
    step('b', { state: 'running', since: 0, progress, warnings: ['<script>'] }),
    step('c', { state: 'failed', failure }),
    step('d', { state: 'elsewhere', since: 0, note: 'process 9 on there' }),
  ]);
  assert.match(text, /1 of 4 steps/);
  assert.match(text, /train: 4 of 9 tokens, 2 tokens\/s, for 1:00\. &lt;i&gt;/);
  assert.match(text, /<progress max="9" value="4" aria-label="b">/);
  assert.match(text, /&lt;b&gt;no&lt;\/b&gt;/);
  assert.match(text, /b: &lt;script&gt;/);
  assert.match(text, /elsewhere: process 9 on there/);
  assert.match(text, /<td class="number">1:05<\/td>/);
  assert.doesNotMatch(text, /<script>|<i>/);
});

test('numbers stand in a table for each kind of step, a dash where a step has none', () => {
  const steps = [step('a', {}), step('b', {}), step('e', { kind: 'evaluate' })];
  const text = view(steps, { a: { loss: 1.23456 }, b: { 'nDCG@10': 0.5 }, e: { 'R@100': 1 } });
  assert.match(text, /<summary>make \(2\)<\/summary>/);
  assert.match(text, /<td class="number">1\.235<\/td><td class="number">–<\/td>/);
  assert.match(text, /<summary>evaluate \(1\)<\/summary>/);
});

test('every study of a store is listed with how it ended', () => {
  const text = storeView([status([step('a', { state: 'made' })], 'died')], 0).text;
  assert.match(text, /href="\/studies\/test"/);
  assert.match(text, /ended without a word/);
});
