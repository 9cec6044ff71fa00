/** Running a study from beginning to end: the engine's main door. */
import { randomBytes } from 'node:crypto';
import { Controller } from './controller.ts';
import { HashCache } from './digest.ts';
import type { Failure } from './events.ts';
import type { Executor } from './executor.ts';
import type { Study } from './graph.ts';
import { runPath } from './history.ts';
import { thisProcess } from './holder.ts';
import { Runner, sweepDeadRunners } from './runner.ts';
import type { Phase, StepState } from './stepState.ts';
import { type Depth, Store } from './store.ts';
import { type Listener, Transcript } from './transcript.ts';

export interface RunOptions {
  readonly store: Store;
  readonly executor: Executor;
  /** Interrupts: running steps stop at their next checkpoint, nothing else begins, and the same call resumes. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onEvent?: Listener;
  /** `full` hashes every artifact that is taken from the store; default `quick`. */
  readonly depth?: Depth;
  readonly pollMs?: number;
}

export type Outcome = 'done' | 'failed' | 'interrupted';

export interface StepResult {
  readonly name: string;
  readonly kind: string;
  /** `waiting` where an interruption came first. */
  readonly state: 'cached' | 'made' | 'failed' | 'skipped' | 'interrupted' | 'waiting';
  readonly identity?: string;
  /** The artifact's folder, absolute; only of cached and made steps. */
  readonly folder?: string;
  readonly bytes?: number;
  readonly seconds?: number;
  readonly failure?: Failure;
}

export interface RunSummary {
  readonly study: string;
  readonly run: string;
  readonly outcome: Outcome;
  readonly seconds: number;
  readonly steps: readonly StepResult[];
}

/** Two runs of one study never begin in the same millisecond with the same four random bytes. */
function newRunName(now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:.]/g, '').replace('Z', '');
  return `${time}-${randomBytes(4).toString('hex')}`;
}

const POLL_MS = 200;

/** Runs all steps that are not in the store. Steps that fail do not throw: they are in the summary. */
export async function runStudy(study: Study, options: RunOptions): Promise<RunSummary> {
  const { store, executor, signal, now, depth = 'quick', pollMs = POLL_MS } = options;
  const began = now();
  await Store.open(store.root); // makes it, if this is its first run
  const run = newRunName(began);
  const here = await thisProcess();
  const hashes = await HashCache.load(store.path('hashes.json'), now);
  await sweepDeadRunners(store, here);
  const runner = await Runner.register(store, here, run, study.name);
  const transcript = new Transcript(
    runPath(store, study.name, run),
    now,
    options.onEvent ?? (() => undefined),
  );
  try {
    const parts = { store, executor, runner, here, hashes, transcript, signal, depth, pollMs };
    const controller = await Controller.create(study, parts);
    transcript.add({
      type: 'study-started',
      study: study.name,
      run,
      machine: here.machine,
      pid: here.pid,
      executor: executor.name,
      workers: executor.workers,
      steps: [...controller.outline],
    });
    await controller.run();
    const steps = controller.states.map(state => resultOf(state, controller));
    const seconds = (now() - began) / 1000;
    const outcome = outcomeOf(steps, signal);
    transcript.add({ type: 'study-finished', outcome, seconds });
    return { study: study.name, run, outcome, seconds, steps };
  } finally {
    transcript.close();
    await runner.close();
  }
}

function outcomeOf(steps: readonly StepResult[], signal: AbortSignal): Outcome {
  if (steps.every(({ state }) => state === 'cached' || state === 'made')) return 'done';
  return signal.aborted ? 'interrupted' : 'failed';
}

function publicState(phase: Phase): StepResult['state'] {
  const ended = phase !== 'ready' && phase !== 'running' && phase !== 'elsewhere';
  return ended ? phase : 'waiting';
}

function resultOf(state: StepState, controller: Controller): StepResult {
  const { step, phase, resolved, seconds, failure } = state;
  const artifact = controller.artifacts.get(step.name);
  return {
    name: step.name,
    kind: step.kind.kind,
    state: publicState(phase),
    ...(resolved && { identity: resolved.identity }),
    ...(artifact && { folder: artifact.folder, bytes: artifact.bytes }),
    ...(seconds !== undefined && { seconds }),
    ...(failure && { failure }),
  };
}
