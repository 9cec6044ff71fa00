/** Where a run stands, worked out from its events alone: what the terminal, `status` and a dashboard show. */
import { type ProgressState, secondsLeft } from '../base/index.ts';
import type { Failure, Report, StepOutline, StudyEvent } from './events.ts';
import { makespan } from './history.ts';

export interface StepStatus {
  readonly name: string;
  readonly kind: string;
  readonly needs: readonly string[];
  readonly threads: number;
  /**
   * `elsewhere`: another process makes it; `blocked`: the executor holds it back; `made`: ran in this run; `cached`: was in the
   * store; `skipped`: something it needs failed.
   */
  state:
    | 'waiting'
    | 'running'
    | 'elsewhere'
    | 'blocked'
    | 'cached'
    | 'made'
    | 'failed'
    | 'skipped'
    | 'interrupted';
  identity?: string;
  /** When the present state began, in milliseconds since the epoch. */
  since?: number;
  /** Of a running step: the task it is at. */
  progress?: ProgressState;
  /** The last value of each metric it reported. */
  metrics: Record<string, number>;
  warnings: string[];
  /** Of a made step: seconds its last attempt took. */
  seconds?: number;
  /** Expected duration. */
  readonly expectedSeconds?: number;
  failure?: Failure;
  /** Why it is blocked, skipped, or who has it. */
  note?: string;
}

export interface RunStatus {
  readonly study: string;
  readonly run: string;
  readonly machine: string;
  readonly pid: number;
  readonly executor: string;
  readonly workers: number;
  readonly startedAt: number;
  finishedAt?: number;
  /** `died`: the runner ended without a word; the same command resumes. */
  outcome: 'running' | 'done' | 'failed' | 'interrupted' | 'died';
  readonly steps: readonly StepStatus[];
}

/** Takes in events, in order, and keeps the state they add up to. */
export class Board {
  #status: RunStatus | undefined;
  readonly #steps = new Map<string, StepStatus>();

  /** Undefined before the first event. */
  get status(): RunStatus | undefined {
    return this.#status;
  }

  apply(event: StudyEvent): void {
    if (event.type === 'study-started') this.#begin(event);
    else if (event.type === 'study-finished') {
      if (this.#status) Object.assign(this.#status, { outcome: event.outcome, finishedAt: event.at });
    } else {
      const step = this.#steps.get(event.step);
      if (step && event.type === 'report') applyReport(step, event.report);
      else if (step && event.type !== 'report') applyToStep(step, event);
    }
  }

  #begin(event: Extract<StudyEvent, { type: 'study-started' }>): void {
    const { study, run, machine, pid, executor, workers, at } = event;
    const steps = event.steps.map(newStep);
    for (const step of steps) this.#steps.set(step.name, step);
    this.#status = { study, run, machine, pid, executor, workers, startedAt: at, outcome: 'running', steps };
  }

  /** The run was found dead: nothing of it runs any more. */
  died(): void {
    if (this.#status?.outcome !== 'running') return;
    this.#status.outcome = 'died';
    for (const step of this.#steps.values())
      if (isActive(step)) step.state = step.state === 'running' ? 'interrupted' : 'waiting';
  }
}

export function isActive(step: StepStatus): boolean {
  return step.state === 'running' || step.state === 'elsewhere' || step.state === 'blocked';
}

function newStep({ name, kind, needs, threads = 1, seconds }: StepOutline): StepStatus {
  return {
    name,
    kind,
    needs,
    threads,
    state: 'waiting',
    metrics: {},
    warnings: [],
    ...(seconds !== undefined && { expectedSeconds: seconds }),
  };
}

type StepEvent = Exclude<StudyEvent, { type: 'study-started' | 'study-finished' | 'report' }>;

function applyToStep(step: StepStatus, event: StepEvent): void {
  const change = changeBy(event);
  if (change.state !== step.state) step.since = event.at;
  if (change.state !== 'running' && change.state !== 'blocked') delete step.progress;
  if ('identity' in event && event.identity !== undefined) step.identity = event.identity;
  Object.assign(step, change);
}

type StateChange = Pick<StepStatus, 'state'> & Partial<StepStatus>;

function changeBy(event: StepEvent): StateChange {
  switch (event.type) {
    case 'step-cached':
      return { state: 'cached' };
    case 'step-started':
      return { state: 'running', warnings: [], metrics: {} };
    case 'step-elsewhere':
      return { state: 'elsewhere', note: `process ${event.pid} on ${event.machine}` };
    case 'step-blocked':
      return { state: 'blocked', note: event.reason };
    case 'step-retried':
      return { state: 'waiting', note: event.reason };
    case 'step-finished':
      return { state: 'made', ...(event.seconds !== undefined && { seconds: event.seconds }) };
    case 'step-failed':
      return { state: 'failed', failure: event.failure };
    case 'step-interrupted':
      return { state: 'interrupted' };
    case 'step-skipped':
      return { state: 'skipped', note: `needs ${event.because}` };
  }
}

/** Reports also come straight from the file of a running step, by whoever was not there when they were relayed. */
export function applyReport(step: StepStatus, report: Report): void {
  if (report.type === 'attempt') {
    if (step.state === 'blocked') step.state = 'running';
    delete step.progress;
  } else if (report.type === 'progress') {
    const { total, note, ...rest } = report.state;
    step.progress = { ...rest, total, note };
  } else if (report.type === 'metrics') Object.assign(step.metrics, report.values);
  else if (report.type === 'warning') step.warnings.push(report.text);
}

/** Time left, as far as anybody can say. */
export interface TimeLeft {
  readonly seconds: number;
  /** Steps that count nothing, because nobody knows how long they take. */
  readonly unknown: number;
}

export function timeLeft(status: RunStatus, now: number): TimeLeft {
  const unfinished = status.steps.filter(step => step.state === 'waiting' || isActive(step));
  const left = unfinished.map(step => stepSecondsLeft(step, now));
  const tasks = unfinished.map((step, i) => ({
    name: step.name,
    needs: step.needs,
    threads: step.threads,
    seconds: left[i] ?? 0,
    running: isActive(step),
  }));
  return {
    seconds: makespan(tasks, status.workers),
    unknown: left.filter(seconds => seconds === undefined).length,
  };
}

function stepSecondsLeft(step: StepStatus, now: number): number | undefined {
  const byProgress = step.progress && !step.progress.end ? secondsLeft(step.progress) : undefined;
  if (byProgress !== undefined || step.expectedSeconds === undefined) return byProgress;
  const elapsed = step.state === 'running' && step.since !== undefined ? (now - step.since) / 1000 : 0;
  return Math.max(0, step.expectedSeconds - elapsed);
}
