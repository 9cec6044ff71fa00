/** Runs of the past, and what they teach about how long steps take. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseStudyEvent, type StudyEvent } from './events.ts';
import type { Estimate } from './kind.ts';
import { LineReader } from './records.ts';
import { studyNames } from './refs.ts';
import type { Store } from './store.ts';

export function runsFolder(store: Store, study: string): string {
  return join(store.studyFolder(study), 'runs');
}

/** The names of a study's runs, oldest first: a run's name begins with the time it started at. */
export async function runNames(store: Store, study: string): Promise<string[]> {
  const names = await readdir(runsFolder(store, study)).catch(() => []);
  return names
    .filter(name => name.endsWith('.jsonl'))
    .map(name => name.slice(0, -'.jsonl'.length))
    .sort();
}

export function runPath(store: Store, study: string, run: string): string {
  return join(runsFolder(store, study), `${run}.jsonl`);
}

export async function readRun(store: Store, study: string, run: string): Promise<StudyEvent[]> {
  return new LineReader(runPath(store, study, run), parseStudyEvent).read();
}

/** One finished step. */
export interface Duration {
  readonly kind: string;
  readonly identity: string;
  readonly seconds: number;
  readonly flops: number | undefined;
  readonly machine: string | undefined;
}

/** Runs to look back on, a study. */
export const RUNS_KEPT_IN_MIND = 50;

/** All durations of unbroken attempts that the store's recent runs recorded. */
export async function recordedDurations(store: Store): Promise<Duration[]> {
  const durations: Duration[] = [];
  for (const study of await studyNames(store))
    for (const run of (await runNames(store, study)).slice(-RUNS_KEPT_IN_MIND))
      for (const event of await readRun(store, study, run))
        if (event.type === 'step-finished' && event.seconds !== undefined && !event.resumed) {
          const { kind, identity, seconds, flops, machine } = event;
          durations.push({ kind, identity, seconds, flops, machine });
        }
  return durations;
}

/**
 * What an expected duration rests on: `same`: this very step took so long before; `rate`: steps of its kind did so many
 * FLOPs a second; `similar`: the median of its kind; `estimate`: its author's word.
 */
export type Basis = 'same' | 'rate' | 'similar' | 'estimate';

export interface Expectation {
  readonly flops?: number;
  readonly seconds?: number;
  readonly basis?: Basis;
}

/** How long a step will take, from the best evidence there is. Records of this machine are preferred to others. */
export function expectation(
  kind: string,
  identity: string | undefined,
  estimate: Estimate,
  durations: readonly Duration[],
  machine: string,
): Expectation {
  const ofKind = durations.filter(duration => duration.kind === kind);
  const here = ofKind.filter(duration => duration.machine === machine);
  const known = here.length > 0 ? here : ofKind;
  const flops = estimate.flops === undefined ? {} : { flops: estimate.flops };
  const same = known.filter(duration => duration.identity === identity);
  if (same.length > 0) return { ...flops, seconds: median(same.map(d => d.seconds)), basis: 'same' };
  const rates = known.flatMap(d => (d.flops && d.seconds > 0 ? [d.flops / d.seconds] : []));
  if (estimate.flops !== undefined && rates.length > 0)
    return { ...flops, seconds: estimate.flops / median(rates), basis: 'rate' };
  if (known.length > 0) return { ...flops, seconds: median(known.map(d => d.seconds)), basis: 'similar' };
  return estimate.seconds === undefined ? flops : { ...flops, seconds: estimate.seconds, basis: 'estimate' };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** A step as the schedule sees it. */
export interface Task {
  readonly name: string;
  readonly needs: readonly string[];
  readonly seconds: number;
  /** Workers it takes (default 1). */
  readonly threads?: number | undefined;
  /** Has it begun? Then it has its worker already. */
  readonly running?: boolean;
}

/** For each task, the seconds from its start to the end of all that waits for it: the longest way is started first. */
export function urgency(tasks: readonly Task[]): Map<string, number> {
  const waiting = new Map<string, Task[]>();
  for (const task of tasks)
    for (const need of task.needs) waiting.set(need, [...(waiting.get(need) ?? []), task]);
  const urgencies = new Map<string, number>();
  for (const task of [...tasks].reverse()) {
    const after = (waiting.get(task.name) ?? []).map(other => urgencies.get(other.name) ?? 0);
    urgencies.set(task.name, task.seconds + Math.max(0, ...after));
  }
  return urgencies;
}

/**
 * Seconds until all tasks are done on so many workers, most urgent first; as in a run, none overtakes a more urgent one that does not fit. Needs
 * that are not among the tasks count as met.
 */
export function makespan(tasks: readonly Task[], workers: number): number {
  const urgencies = urgency(tasks);
  const rank = (task: Task) => (task.running ? Number.POSITIVE_INFINITY : urgencies.get(task.name)!);
  const unmet = new Set(tasks.map(task => task.name));
  let waiting = [...tasks].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
  let active: { readonly task: Task; readonly end: number }[] = [];
  const all = Math.max(1, workers);
  const taken = ({ threads = 1 }: Task) => Math.max(1, Math.min(threads, all));
  let now = 0;
  while (waiting.length > 0 || active.length > 0) {
    let free = all - active.reduce((sum, { task }) => sum + taken(task), 0);
    const ready = waiting.filter(task => task.running || !task.needs.some(need => unmet.has(need)));
    for (const task of ready) {
      if (!task.running && taken(task) > free) break;
      free -= taken(task);
      active.push({ task, end: now + task.seconds });
    }
    const begun = new Set(active.map(({ task }) => task));
    waiting = waiting.filter(task => !begun.has(task));
    if (active.length === 0) throw new RangeError('the tasks need each other in a circle');
    now = Math.min(...active.map(({ end }) => end));
    for (const { task, end } of active) if (end <= now) unmet.delete(task.name);
    active = active.filter(({ end }) => end > now);
  }
  return now;
}
