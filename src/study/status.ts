/** How a study stands, read from its store by a process that need not be the one that runs it. */
import { setTimeout as pause } from 'node:timers/promises';
import { applyReport, Board, type RunStatus } from './board.ts';
import { parseReport } from './events.ts';
import { readRun, runNames } from './history.ts';
import { thisProcess } from './holder.ts';
import { reportsPath } from './job.ts';
import { LineReader, sizeOf } from './records.ts';
import { References, studyNames } from './refs.ts';
import { liveRuns } from './runner.ts';
import type { Artifact, Depth, Lookup, Store } from './store.ts';

/** The study's live run, else its last one; undefined if it has never been run here. */
export async function readStatus(store: Store, study: string): Promise<RunStatus | undefined> {
  const runs = await runNames(store, study); // before the look at who lives: a run that begins meanwhile must not seem dead
  const live = new Set((await liveRuns(store, await thisProcess())).map(({ run }) => run));
  const run = runs.findLast(name => live.has(name)) ?? runs.at(-1);
  if (run === undefined) return undefined;
  const board = new Board();
  for (const event of await readRun(store, study, run)) board.apply(event);
  if (!live.has(run)) board.died();
  for (const step of board.status?.steps ?? [])
    if (step.identity !== undefined && (step.state === 'running' || step.state === 'elsewhere'))
      for (const report of await recentReports(store, step.identity)) applyReport(step, report);
  return board.status;
}

const RECENT_BYTES = 64 << 10;

/** What the run's log leaves out or may not hold yet; warnings it holds. */
async function recentReports(store: Store, identity: string) {
  const path = reportsPath(store, identity);
  const from = Math.max(0, (await sizeOf(path)) - RECENT_BYTES); // perhaps inside a line, which is then passed over
  const reports = await new LineReader(path, parseReport, from).read();
  const attempt = reports.findLastIndex(report => report.type === 'attempt');
  return reports
    .slice(Math.max(0, attempt))
    .filter(report => report.type === 'progress' || report.type === 'metrics');
}

/** Reads the status again and again until the run has ended, which the last one yielded says, or the signal fires. */
export async function* watchStatus(
  store: Store,
  study: string,
  signal: AbortSignal,
  everyMs = 500,
): AsyncGenerator<RunStatus> {
  while (!signal.aborted) {
    const status = await readStatus(store, study);
    if (status) yield status;
    if (status?.outcome !== 'running') return;
    await pause(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** All studies of a store with where they stand. */
export async function readStudies(store: Store): Promise<RunStatus[]> {
  const statuses = await Promise.all((await studyNames(store)).map(name => readStatus(store, name)));
  return statuses.flatMap(status => status ?? []);
}

export interface CheckedStep {
  readonly step: string;
  readonly identity: string;
  readonly state: Lookup['state'];
  readonly detail?: string;
}

/** Compares every artifact that a study refers to with its manifest. */
export async function checkArtifacts(store: Store, study: string, depth: Depth): Promise<CheckedStep[]> {
  const references = await References.load(store, study);
  const checked: CheckedStep[] = [];
  for (const { step, done } of references.all()) {
    if (!done) continue;
    const found = await store.lookup(done.identity, depth);
    const detail = found.state === 'damaged' ? { detail: found.detail } : {};
    checked.push({ step, identity: done.identity, state: found.state, ...detail });
  }
  return checked.sort((a, b) => (a.step < b.step ? -1 : 1));
}

/** The artifacts that a study's steps last made, by step name: for reports, which read results and must say where they come from. */
export async function studyArtifacts(store: Store, study: string): Promise<ReadonlyMap<string, Artifact>> {
  const artifacts = new Map<string, Artifact>();
  for (const { step, done } of (await References.load(store, study)).all()) {
    const found = done && (await store.lookup(done.identity));
    if (found?.state === 'whole') artifacts.set(step, found.artifact);
  }
  return artifacts;
}
