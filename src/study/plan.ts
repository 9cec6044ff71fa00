/** What a run would do, and why: every step against what it last came to. Changes nothing but the memory of hashes. */
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { HashCache } from './digest.ts';
import { type Change, changesBetween, type Fingerprint, type InputDigest } from './fingerprint.ts';
import type { Step, Study } from './graph.ts';
import { type Expectation, expectation, makespan, recordedDurations } from './history.ts';
import { thisProcess } from './holder.ts';
import { liveLeases } from './lease.ts';
import { type Made, References, type StepRecord } from './refs.ts';
import { digestOfSource, partialFingerprint, type Resolved, resolveStep } from './resolve.ts';
import type { Artifact, Depth, Lookup, Store } from './store.ts';

/** Why a step is not simply taken from the store. */
export type Reason =
  | { readonly type: 'never-ran' }
  /** It began once and did not finish; `resumable` if it left work that the next attempt can go on from. */
  | { readonly type: 'unfinished'; readonly resumable: boolean }
  | { readonly type: 'failed'; readonly message: string; readonly resumable: boolean }
  /** A process is at work on it now. */
  | { readonly type: 'running'; readonly machine: string; readonly pid: number }
  /** A field of what it reads differs from the last run of that name: a parameter, the version of its kind, an input's content. */
  | ({ readonly type: 'changed' } & Change)
  /** A step it reads from will run; should that come out as before, this one need not. */
  | { readonly type: 'upstream'; readonly input: string; readonly steps: readonly string[] }
  | { readonly type: 'missing' }
  | { readonly type: 'damaged'; readonly detail: string };

export interface PlannedStep {
  readonly name: string;
  readonly kind: string;
  /** `depends`: runs only if what it reads comes out different. */
  readonly state: 'cached' | 'run' | 'depends';
  /** Known once all it reads is there. */
  readonly identity?: string;
  readonly reasons: readonly Reason[];
  readonly expected: Expectation;
}

export interface Plan {
  readonly study: string;
  readonly steps: readonly PlannedStep[];
  readonly cached: number;
  /** Steps that will or may run. */
  readonly toRun: number;
  /** Of the steps to run, as far as their kinds estimate it. */
  readonly flops: number;
  /** Until all are done, on so many workers; steps of unknown duration count nothing. */
  readonly seconds: number;
  readonly workers: number;
  /** Steps to run of which nobody knows how long they take. */
  readonly unknownDurations: number;
}

export interface PlanOptions {
  readonly store: Store;
  readonly depth: Depth;
  readonly workers: number;
  /** Whose recorded durations count most (default: this machine). */
  readonly machine?: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export async function planStudy(study: Study, options: PlanOptions): Promise<Plan> {
  const hashes = await HashCache.load(options.store.path('hashes.json'), options.now);
  const references = await References.load(options.store, study.name);
  const durations = await recordedDurations(options.store);
  const machine = options.machine ?? hostname();
  const known: Knowledge = { store: options.store, hashes, artifacts: new Map() };
  const steps: PlannedStep[] = [];
  for (const step of study.steps) {
    const resolved = await resolveStep(step, known.artifacts, hashes);
    const found = resolved && (await options.store.lookup(resolved.identity, options.depth));
    const base = { name: step.name, kind: step.kind.kind, ...(resolved && { identity: resolved.identity }) };
    const expected = expectation(base.kind, base.identity, step.estimate, durations, machine);
    if (found?.state === 'whole') {
      known.artifacts.set(step.name, found.artifact);
      steps.push({ ...base, state: 'cached', reasons: [], expected });
    } else {
      const reasons = await reasonsOf(step, { resolved, found }, references.get(step.name), known);
      const state = reasons.every(reason => reason.type === 'upstream') ? 'depends' : 'run';
      steps.push({ ...base, state, reasons, expected });
    }
  }
  if (await options.store.exists()) await hashes.save();
  return { study: study.name, steps, ...totals(study, steps, options.workers) };
}

function totals(
  study: Study,
  planned: readonly PlannedStep[],
  workers: number,
): Omit<Plan, 'study' | 'steps'> {
  const running = planned.filter(step => step.state !== 'cached');
  const steps = new Map(study.steps.map(step => [step.name, step]));
  const tasks = running.map(({ name, expected }) => ({
    name,
    needs: steps.get(name)?.needs ?? [],
    threads: steps.get(name)?.threads ?? 1,
    seconds: expected.seconds ?? 0,
  }));
  return {
    cached: planned.length - running.length,
    toRun: running.length,
    flops: running.reduce((sum, step) => sum + (step.expected.flops ?? 0), 0),
    seconds: makespan(tasks, workers),
    workers,
    unknownDurations: running.filter(step => step.expected.seconds === undefined).length,
  };
}

/** What is known while a plan is made. */
interface Knowledge {
  readonly store: Store;
  readonly hashes: HashCache;
  /** Of the cached steps so far. */
  readonly artifacts: Map<string, Artifact>;
}

interface Situation {
  readonly resolved: Resolved | undefined;
  readonly found: Lookup | undefined;
}

async function reasonsOf(
  step: Step,
  { resolved, found }: Situation,
  record: StepRecord | undefined,
  known: Knowledge,
): Promise<Reason[]> {
  const reasons: Reason[] = [];
  const { fingerprint, upstream } = await knownFingerprint(step, known);
  const pending = record?.pending;
  const unfinished = pending && (resolved ? pending.identity === resolved.identity : !record?.done);
  if (unfinished) reasons.push(await lastAttempt(pending, known.store));
  if (record?.done)
    reasons.push(
      ...(await sinceLastRun(record.done, fingerprint, upstream, { resolved, found }, known.store)),
    );
  else if (!unfinished) reasons.push({ type: 'never-ran' });
  return [...reasons, ...upstream];
}

/** What became of work that was begun and has left no artifact. */
async function lastAttempt(pending: NonNullable<StepRecord['pending']>, store: Store): Promise<Reason> {
  const [holder] = await liveLeases(store.leaseFolder(pending.identity), await thisProcess());
  if (holder) return { type: 'running', machine: holder.machine, pid: holder.pid };
  const resumable = await leftWork(store, pending.identity);
  const message = pending.failure;
  return message === undefined ? { type: 'unfinished', resumable } : { type: 'failed', message, resumable };
}

/** How what is known of a step differs from what it last made, and what became of that. */
async function sinceLastRun(
  last: Made,
  fingerprint: Fingerprint,
  upstream: readonly Upstream[],
  { resolved, found }: Situation,
  store: Store,
): Promise<Reason[]> {
  const unknown = new Set(upstream.map(reason => reason.input));
  const changes = changesBetween(last.fingerprint, fingerprint, unknown);
  const reasons: Reason[] = changes.map(change => ({ type: 'changed', ...change }));
  const here = found ?? (changes.length === 0 ? await store.lookup(last.identity) : undefined);
  const same = resolved === undefined || resolved.identity === last.identity;
  if (here?.state === 'missing' && same) reasons.push({ type: 'missing' });
  if (here?.state === 'damaged') reasons.push({ type: 'damaged', detail: here.detail });
  return reasons;
}

type Upstream = Extract<Reason, { type: 'upstream' }>;

/** The fingerprint as far as it is known, and which inputs are not. */
async function knownFingerprint(
  step: Step,
  { artifacts, hashes }: Knowledge,
): Promise<{ fingerprint: Fingerprint; upstream: Upstream[] }> {
  const inputs: Record<string, InputDigest[]> = {};
  const upstream: Upstream[] = [];
  for (const [input, sources] of Object.entries(step.sources)) {
    const steps = sources.flatMap(source =>
      'step' in source && !artifacts.has(source.step) ? [source.step] : [],
    );
    if (steps.length > 0) upstream.push({ type: 'upstream', input, steps: [...new Set(steps)] });
    else if (sources.length > 0)
      inputs[input] = (
        await Promise.all(sources.map(source => digestOfSource(source, artifacts, hashes)))
      ).flatMap(digest => digest ?? []);
  }
  return { fingerprint: { ...partialFingerprint(step), inputs }, upstream };
}

/** Is there scratch that an attempt could go on from? */
async function leftWork(store: Store, identity: string): Promise<boolean> {
  const folder = store.scratchFolder(identity);
  for (const attempt of await readdir(folder).catch(() => [])) {
    const files = await readdir(join(folder, attempt, 'work')).catch(() => []);
    if (files.length > 0) return true;
  }
  return false;
}
