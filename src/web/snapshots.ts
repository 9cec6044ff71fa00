/** Reads where studies stand, once for all who look on. */
import { join } from 'node:path';
import { Html, type LossSeries, lossFigure, readRecord, renderSvg, SCREEN } from '../report/index.ts';
import {
  type MetricPoint,
  type RunStatus,
  readMetrics,
  readStatus,
  readStudies,
  type StepMetrics,
  type Store,
} from '../study/index.ts';
import type { StudySnapshot } from './study-view.ts';

export interface SnapshotOptions {
  readonly store: Store;
  /** Folder of reports, one a study. */
  readonly reports: string;
  /** Milliseconds. */
  readonly now: () => number;
}

/** The metric whose curves are drawn: the trunk's, or, of a run without one, those of its branches, whose names go on after it. */
const CURVE = 'heldOutLossNats';
/** A status is read again after this long, metrics and figure after that. */
const FRESH_MS = 500;
const FRESH_METRICS_MS = 5000;

interface Kept<T> {
  readonly at: number;
  readonly value: Promise<T>;
}

export class Snapshots {
  readonly #options: SnapshotOptions;
  readonly #kept = new Map<string, Kept<unknown>>();

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  studies(): Promise<RunStatus[]> {
    return this.#fresh('studies', FRESH_MS, () => readStudies(this.#options.store));
  }

  /** Undefined for a study that was never run here. */
  async study(name: string): Promise<StudySnapshot | undefined> {
    const { store, reports } = this.#options;
    const status = await this.#fresh(`status ${name}`, FRESH_MS, () => readStatus(store, name));
    if (status === undefined) return undefined;
    const { byStep, figure } = await this.#fresh(`metrics ${name}`, FRESH_METRICS_MS, () =>
      metricsOf(store, status),
    );
    const record = await readRecord(join(reports, name));
    const report = record === undefined ? undefined : `/reports/${name}/index.html`;
    return { status, metrics: latest(status, byStep), figure, report };
  }

  #fresh<T>(key: string, ms: number, read: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(key) as Kept<T> | undefined;
    const now = this.#options.now();
    if (kept && now - kept.at < ms) return kept.value;
    const value = read();
    value.catch(() => this.#kept.delete(key)); // reported to whoever asked; the next one asks anew
    this.#kept.set(key, { at: now, value });
    return value;
  }
}

interface StudyMetrics {
  readonly byStep: ReadonlyMap<string, StepMetrics>;
  readonly figure: Html | undefined;
}

async function metricsOf(store: Store, { study, steps }: RunStatus): Promise<StudyMetrics> {
  const byIdentity = await readMetrics(store, study);
  const byStep = new Map(
    steps.flatMap(({ name, identity }) => {
      const found = identity === undefined ? undefined : byIdentity.get(identity);
      return found === undefined ? [] : [[name, found] as const];
    }),
  );
  const series = [...byStep].flatMap(([name, { series: all }]) => {
    const names = Object.keys(all).filter(metric => metric.startsWith(CURVE));
    const drawn = names.includes(CURVE) ? [CURVE] : names;
    return drawn.map(metric => lossSeries(`${name}${metric.slice(CURVE.length)}`, all[metric]!));
  });
  if (series.length === 0) return { byStep, figure: undefined };
  const spec = lossFigure(series, { title: '', width: 560, logTokens: true });
  return { byStep, figure: new Html(await renderSvg(spec, SCREEN)) };
}

function lossSeries(name: string, points: readonly MetricPoint[]): LossSeries {
  return { name, train: [], heldOut: points.map(({ position, value }) => ({ x: position, y: value })) };
}

/** What the run itself says is newer than what was read a moment ago. */
function latest({ steps }: RunStatus, byStep: StudyMetrics['byStep']): StudySnapshot['metrics'] {
  const merged = steps.map(
    ({ name, metrics }) => [name, { ...byStep.get(name)?.latest, ...metrics }] as const,
  );
  return new Map(merged.filter(([, values]) => Object.keys(values).length > 0));
}
