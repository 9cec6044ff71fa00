import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Board } from './board.ts';
import type { Report, StudyEvent, Untimed } from './events.ts';
import { LiveView } from './live.ts';
import { eventLine, liveLines, statusText } from './view.ts';

const identity = 'f'.repeat(64);

const started: StudyEvent = {
  type: 'study-started',
  at: 0,
  study: 's',
  run: 'r',
  machine: 'm',
  pid: 1,
  executor: 'local',
  workers: 2,
  steps: ['a', 'b', 'c', 'd'].map(name => ({
    name,
    kind: 'k',
    needs: name === 'd' ? ['a'] : [],
    seconds: 10,
  })),
};

const report = (step: string, told: Untimed<Report>): StudyEvent => ({
  type: 'report',
  at: 0,
  step,
  identity,
  report: { ...told, at: 0 } as Report,
});

const progress = (step: string, done: number) =>
  report(step, {
    type: 'progress',
    state: {
      label: 'train',
      total: 100,
      unit: 'steps',
      done,
      fresh: done,
      seconds: 5,
      end: false,
      note: 'loss 3',
    },
  });

function boardOf(...events: readonly StudyEvent[]): Board {
  const board = new Board();
  for (const event of [started, ...events]) board.apply(event);
  return board;
}

test('running steps show their progress, and the whole its time left', () => {
  const board = boardOf(
    { type: 'step-cached', at: 0, step: 'a', identity },
    { type: 'step-started', at: 0, step: 'b', identity },
    { type: 'step-started', at: 0, step: 'c', identity },
    progress('b', 50),
  );
  assert.deepEqual(liveLines(board.status!, 4000), [
    's  1/4 steps  1 cached  about 0:15 left', // b 5 s, c 6 s, then d 10 s
    '  b: train   50% [==========          ] 50/100 steps  10 steps/s  0:05 left  loss 3',
    '  c  0:04',
  ]);
});

test('a status tells how each step ended, and quotes what failed', () => {
  const failure = {
    reason: 'signal' as const,
    message: 'ended by SIGKILL',
    logTail: ['out of \x1b[31mmemory'],
  };
  const board = boardOf(
    { type: 'step-started', at: 0, step: 'a', identity },
    { type: 'step-failed', at: 1000, step: 'a', identity, failure },
    { type: 'step-skipped', at: 1000, step: 'd', because: 'a' },
    { type: 'step-started', at: 0, step: 'b', identity },
    report('b', { type: 'metrics', values: { loss: 2.5 } }),
    report('b', { type: 'warning', text: 'careful' }),
    { type: 'step-finished', at: 3000, step: 'b', identity, kind: 'k', bytes: 1, resumed: false, seconds: 3 },
    { type: 'step-elsewhere', at: 3000, step: 'c', identity, machine: 'n', pid: 7 },
  );
  assert.equal(
    statusText(board.status!, 5000),
    [
      'failed     a  k',
      'made       b  k  0:03  loss 2.5',
      'elsewhere  c  k  elsewhere: process 7 on n',
      'skipped    d  k  needs a',
      '',
      'a failed: ended by SIGKILL',
      '  | out of [31mmemory',
      'warning: b: careful',
      '',
      's  1/4 steps  1 failed  about 0:10 left: running (process 1 on m, begun 1970-01-01T00:00:00.000Z, 0:05)',
    ].join('\n'),
  );
  board.died();
  assert.deepEqual(
    board.status!.steps.map(({ state }) => state),
    ['failed', 'made', 'waiting', 'skipped'],
  );
});

test('a blocked step is shown as such until it starts', () => {
  const board = boardOf(
    { type: 'step-started', at: 0, step: 'a', identity },
    { type: 'step-blocked', at: 0, step: 'a', identity, reason: 'JobHeldUser' },
  );
  assert.equal(liveLines(board.status!, 0)[1], '  a  blocked: JobHeldUser');
  board.apply(report('a', { type: 'attempt', pid: 1, machine: 'm', resumed: false }));
  assert.equal(liveLines(board.status!, 0)[1], '  a  0:00');
});

test('on a terminal, lines that stay go above lines that are redrawn; elsewhere only the former', () => {
  const drawn: string[] = [];
  for (const interactive of [true, false]) {
    let written = '';
    const view = new LiveView({ write: text => (written += text), interactive, columns: () => 40 }, () => 0);
    view.listen(started);
    view.listen({ type: 'step-started', at: 0, step: 'a', identity });
    view.listen({ type: 'step-finished', at: 0, step: 'a', identity, kind: 'k', bytes: 5, resumed: false });
    view.listen({ type: 'study-finished', at: 0, outcome: 'done', seconds: 1 });
    drawn.push(written);
  }
  assert.equal(drawn[1], 'a: started\na: made 5B\n');
  assert.equal(lastScreen(drawn[0]!), 'a: started\na: made 5B');
  assert.match(drawn[0]!, /s {2}0\/4 steps {2}about 0:20 left\n {2}a {2}0:00\n/);
});

/** What a terminal shows after all has been written: each `up and clear` takes the last line away. */
function lastScreen(written: string): string {
  const lines = [''];
  for (const character of written.replaceAll('\x1b[A\x1b[2K', '\f')) {
    if (character === '\n') lines.push('');
    else if (character === '\f') lines.splice(-2, 2, '');
    else lines[lines.length - 1] += character;
  }
  return lines.join('\n').trim();
}

test('progress and metrics deserve no line, warnings and failures do', () => {
  assert.equal(eventLine(progress('a', 1)), undefined);
  assert.equal(eventLine(report('a', { type: 'metrics', values: {} })), undefined);
  assert.equal(eventLine(report('a', { type: 'warning', text: 'odd' })), 'a: warning: odd');
  const failure = { reason: 'exit' as const, message: 'exit code 3', logTail: ['one', 'two'] };
  assert.equal(
    eventLine({ type: 'step-failed', at: 0, step: 'a', failure }),
    'a: failed: exit code 3\n  | one\n  | two',
  );
});
