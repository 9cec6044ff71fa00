/** A temporary folder with a store in it, in which tests run small studies and look at what came of them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problems } from '../../base/index.ts';
import { digestOf } from '../digest.ts';
import type { StudyEvent } from '../events.ts';
import type { Executor } from '../executor.ts';
import { checkStudy, type Study } from '../graph.ts';
import { LocalExecutor } from '../local.ts';
import { type Plan, planStudy } from '../plan.ts';
import { Registry } from '../registry.ts';
import { type RunSummary, runStudy } from '../run.ts';
import type { StepSpec } from '../spec.ts';
import { type Depth, Store } from '../store.ts';
import { Rig } from './rig.ts';

export const KINDS = new URL('./kinds.js', import.meta.url);

/** A step that the test conducts through the rig, under its own name. */
export const gate = (name: string, needs?: string, params: object = {}): StepSpec => ({
  name,
  kind: 'gate',
  params: { label: name, ...params },
  ...(needs !== undefined && { inputs: { from: { step: needs } } }),
});

/** Is this that event of that step? */
export const is = (type: StudyEvent['type'], step: string) => (event: StudyEvent) =>
  event.type === type && 'step' in event && event.step === step;

export interface RunSettings {
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly depth?: Depth;
  readonly executor?: Executor;
}

/** A run in progress: what it has said so far, and a way to wait for what it will say. */
export class Running {
  readonly events: StudyEvent[] = [];
  readonly #waiting: { wanted: (event: StudyEvent) => boolean; resolve: () => void }[] = [];
  summary!: Promise<RunSummary>;

  readonly listen = (event: StudyEvent): void => {
    this.events.push(event);
    for (const waiting of this.#waiting) if (waiting.wanted(event)) waiting.resolve();
  };

  /** Waits for an event that has been or will be emitted. */
  seen(wanted: (event: StudyEvent) => boolean): Promise<void> {
    if (this.events.some(wanted)) return Promise.resolve();
    return new Promise(resolve => this.#waiting.push({ wanted, resolve }));
  }

  /** `name type` of the events of steps, reports left out. */
  story(): string[] {
    return this.events.flatMap(event =>
      'step' in event && event.type !== 'report' ? [`${event.step} ${event.type.replace('step-', '')}`] : [],
    );
  }
}

/** A test, or `node:test` itself for a whole file. */
interface Owner {
  after(clean: () => Promise<void>): void;
}

export class Lab {
  readonly folder: string;
  readonly store: Store;
  readonly registry: Registry;
  readonly rig: Rig;

  private constructor(folder: string, store: Store, registry: Registry, rig: Rig) {
    this.folder = folder;
    this.store = store;
    this.registry = registry;
    this.rig = rig;
  }

  /** Everything is gone when the test ends, or the file, where `{ after }` of node:test is given. */
  static async open(test: Owner): Promise<Lab> {
    const folder = await mkdtemp(join(tmpdir(), 'isoflop-study-'));
    const rig = await Rig.start();
    test.after(async () => {
      rig.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });
    return new Lab(folder, await Store.open(join(folder, 'store')), await Registry.load([KINDS]), rig);
  }

  async study(steps: readonly StepSpec[], name = 'test'): Promise<Study> {
    const problems = new Problems();
    const study = await checkStudy({ name, steps }, this.registry, problems);
    problems.throwIfAny();
    return study!;
  }

  executor(workers = 2, memoryBytes = Number.POSITIVE_INFINITY): LocalExecutor {
    return new LocalExecutor({
      workers,
      memoryBytes,
      environment: { ...process.env, ...this.rig.environment },
    });
  }

  start(study: Study, settings: RunSettings = {}): Running {
    const running = new Running();
    running.summary = runStudy(study, {
      store: this.store,
      executor: settings.executor ?? this.executor(settings.workers),
      signal: settings.signal ?? new AbortController().signal,
      now: Date.now,
      onEvent: running.listen,
      depth: settings.depth ?? 'quick',
      pollMs: 20,
    });
    return running;
  }

  /** Runs to the end and says how each step ended: `a made, b cached`. */
  async run(steps: readonly StepSpec[], settings: RunSettings = {}): Promise<string> {
    const { steps: results } = await this.start(await this.study(steps), settings).summary;
    return results.map(({ name, state }) => `${name} ${state}`).join(', ');
  }

  async plan(steps: readonly StepSpec[], depth: Depth = 'quick'): Promise<Plan> {
    const study = await this.study(steps);
    return planStudy(study, { store: this.store, depth, workers: 2, now: Date.now });
  }

  /** The text of a step's output after a run. */
  async text(summary: RunSummary, step: string, output = 'text'): Promise<string> {
    const folder = summary.steps.find(({ name }) => name === step)?.folder;
    return readFile(join(folder ?? 'nowhere', output), 'utf8');
  }

  /** Path -> hash of every artifact file of a store. */
  async artifacts(store = this.store): Promise<Readonly<Record<string, string>>> {
    const { files } = await digestOf(store.path('artifacts'), 'refuse');
    return Object.fromEntries(files.map(file => [file.path, file.sha256]));
  }
}
