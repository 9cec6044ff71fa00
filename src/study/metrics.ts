/** What steps measured while they ran, over all runs of a study: curves, and the last value of everything. */
import type { StudyEvent } from './events.ts';
import { RUNS_KEPT_IN_MIND, readRun, runNames } from './history.ts';
import type { Store } from './store.ts';

export interface MetricPoint {
  /** Where the step was, in units of its own: a training step counts tokens. */
  readonly position: number;
  readonly value: number;
}

/** The metrics of one step. */
export interface StepMetrics {
  readonly latest: Readonly<Record<string, number>>;
  /** By metric, ascending in position; only of what came with a position. */
  readonly series: Readonly<Record<string, readonly MetricPoint[]>>;
}

/**
 * By identity of the step, so that numbers of earlier parameters or inputs are not taken for those of now, and those of a step that is cached
 * today are found where it ran. An attempt that goes on from a checkpoint says some things again; the last word counts.
 */
export async function readMetrics(store: Store, study: string): Promise<ReadonlyMap<string, StepMetrics>> {
  const found = new Map<string, Collected>();
  for (const run of (await runNames(store, study)).slice(-RUNS_KEPT_IN_MIND))
    for (const event of await readRun(store, study, run)) collect(found, event);
  return new Map(
    [...found].map(([identity, { latest, series }]) => [
      identity,
      { latest, series: Object.fromEntries([...series].map(([name, points]) => [name, sorted(points)])) },
    ]),
  );
}

interface Collected {
  readonly latest: Record<string, number>;
  readonly series: Map<string, Map<number, number>>;
}

function collect(found: Map<string, Collected>, event: StudyEvent): void {
  if (event.type !== 'report' || event.report.type !== 'metrics') return;
  const { values, position } = event.report;
  const own: Collected = found.get(event.identity) ?? { latest: {}, series: new Map() };
  found.set(event.identity, own);
  for (const [name, value] of Object.entries(values)) {
    own.latest[name] = value;
    if (position === undefined) continue;
    const points = own.series.get(name) ?? new Map<number, number>();
    own.series.set(name, points.set(position, value));
  }
}

function sorted(points: ReadonlyMap<number, number>): MetricPoint[] {
  return [...points]
    .map(([position, value]) => ({ position, value }))
    .sort((a, b) => a.position - b.position);
}
