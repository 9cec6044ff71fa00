/**
 * Runs a study: takes from the store what is there, hands the rest to an executor as soon as what it needs is made, and
 * survives whatever happens to the children. All lasting state is in the store, so a run that ends in any way is simply started again.
 */
import { readdir, rm } from 'node:fs/promises';
import { InputError, mapConcurrently, messageOf } from '../base/index.ts';
import type { HashCache } from './digest.ts';
import { type Failure, parseReport, type StepOutline } from './events.ts';
import type { Executor, Job, JobStatus } from './executor.ts';
import { failureOf } from './failure.ts';
import type { Study } from './graph.ts';
import { recordedDurations, urgency } from './history.ts';
import type { Holder } from './holder.ts';
import { EXIT_BUSY, EXIT_INTERRUPTED, jobOf, reportsPath, writeJob } from './job.ts';
import { liveLeases } from './lease.ts';
import { LineReader, sizeOf } from './records.ts';
import { References } from './refs.ts';
import { resolveStep } from './resolve.ts';
import type { Runner } from './runner.ts';
import { keyOf, outlineOf, type Phase, type StepState } from './stepState.ts';
import type { Artifact, Depth, Store } from './store.ts';
import type { Transcript } from './transcript.ts';

export interface ControllerOptions {
  readonly store: Store;
  readonly executor: Executor;
  readonly runner: Runner;
  readonly here: Holder;
  readonly hashes: HashCache;
  readonly transcript: Transcript;
  readonly signal: AbortSignal;
  readonly depth: Depth;
  /** How often to look for reports and for what other runners do. */
  readonly pollMs: number;
}

/** Attempts at a job that its executor loses. */
const MAX_ATTEMPTS = 3;
const LOG_LINES = 20;

export class Controller {
  readonly #study: Study;
  readonly #options: ControllerOptions;
  readonly #states: readonly StepState[];
  readonly #byName: ReadonlyMap<string, StepState>;
  readonly #artifacts = new Map<string, Artifact>();
  readonly #references: References;
  readonly #urgencies: ReadonlyMap<string, number>;
  #cancelled = false;
  /** The steps with what is expected of each, for whoever shows the run. */
  readonly outline: readonly StepOutline[];

  private constructor(
    study: Study,
    options: ControllerOptions,
    references: References,
    outline: readonly StepOutline[],
  ) {
    this.#study = study;
    this.#options = options;
    this.#references = references;
    this.outline = outline;
    this.#urgencies = urgency(outline.map(step => ({ ...step, seconds: step.seconds ?? 1 })));
    this.#states = study.steps.map(step => ({ step, phase: 'waiting', losses: 0 }));
    this.#byName = new Map(this.#states.map(state => [state.step.name, state]));
  }

  static async create(study: Study, options: ControllerOptions): Promise<Controller> {
    const references = await References.load(options.store, study.name);
    const durations = await recordedDurations(options.store);
    const outline = study.steps.map(step => outlineOf(step, durations, options.here.machine));
    return new Controller(study, options, references, outline);
  }

  get states(): readonly StepState[] {
    return this.#states;
  }

  get artifacts(): ReadonlyMap<string, Artifact> {
    return this.#artifacts;
  }

  /** Runs until every step has ended, or, once the signal has fired, until every running one has. */
  async run(): Promise<void> {
    try {
      for (;;) {
        await this.#settle();
        if (this.#options.signal.aborted) await this.#interrupt();
        else await this.#start();
        if (!this.#goesOn()) break;
        await this.#wait();
        await this.#collect();
      }
      await this.#tidy();
    } finally {
      const running = this.#states.filter(({ phase }) => phase === 'running');
      await this.#options.executor.cancel(running.map(keyOf), 'at once'); // only after an error of our own
      await this.#options.hashes.save();
    }
  }

  #goesOn(): boolean {
    const active: readonly Phase[] = this.#cancelled ? ['running'] : ['running', 'elsewhere', 'ready'];
    return this.#states.some(({ phase }) => active.includes(phase));
  }

  /** Every waiting step whose needs have ended: skipped, taken from the store, or made ready. */
  async #settle(): Promise<void> {
    for (const state of this.#states) {
      if (state.phase !== 'waiting') continue;
      const needs = state.step.needs.map(name => this.#byName.get(name)!);
      const culprit = needs.find(({ phase }) => phase === 'failed' || phase === 'skipped');
      if (culprit) {
        state.phase = 'skipped';
        this.#options.transcript.add({
          type: 'step-skipped',
          step: state.step.name,
          because: culprit.step.name,
        });
      } else if (needs.every(({ step }) => this.#artifacts.has(step.name)) && !this.#options.signal.aborted) {
        await this.#resolve(state);
      }
    }
  }

  async #resolve(state: StepState): Promise<void> {
    try {
      const resolved = await resolveStep(state.step, this.#artifacts, this.#options.hashes);
      if (!resolved) return;
      state.resolved = resolved;
      await this.#options.runner.pin(resolved.identity);
      if (!(await this.#take(state, 'cached'))) state.phase = 'ready';
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      await this.#fail(state, { reason: 'unresolved', message: messageOf(error), logTail: [] });
    }
  }

  /** Takes a step's artifact from the store, if it is there and whole. */
  async #take(state: StepState, as: 'cached' | 'made'): Promise<boolean> {
    const { resolved, step } = state;
    const found = await this.#options.store.lookup(resolved!.identity, this.#options.depth);
    if (found.state !== 'whole') return false;
    this.#artifacts.set(step.name, found.artifact);
    state.phase = as;
    await this.#references.finish(step.name, resolved!);
    const identity = resolved!.identity;
    if (as === 'cached') this.#options.transcript.add({ type: 'step-cached', step: step.name, identity });
    else this.#tellFinished(state, found.artifact);
    return true;
  }

  #tellFinished(state: StepState, artifact: Artifact): void {
    const { step, verdict, attempt } = state;
    const published = verdict?.type === 'published' ? verdict : undefined;
    if (published) state.seconds = published.seconds;
    this.#options.transcript.add({
      type: 'step-finished',
      step: step.name,
      identity: artifact.identity,
      kind: step.kind.kind,
      bytes: artifact.bytes,
      resumed: published?.resumed ?? false,
      ...(published && { seconds: published.seconds }),
      ...(published && attempt && { machine: attempt.machine }),
      ...(step.estimate.flops !== undefined && { flops: step.estimate.flops }),
    });
  }

  /** Submits ready steps, most urgent first, as far as the executor has room. */
  async #start(): Promise<void> {
    const urgencyOf = (state: StepState) => this.#urgencies.get(state.step.name) ?? 0;
    const ready = this.#states
      .filter(({ phase }) => phase === 'ready')
      .sort((a, b) => urgencyOf(b) - urgencyOf(a));
    const { executor } = this.#options;
    const jobs: Job[] = [];
    for (const state of ready) {
      if (this.#options.signal.aborted) break;
      if (await this.#isElsewhere(state)) continue;
      const job = jobOf(this.#options.store, this.#study.name, state.step, keyOf(state));
      if (!executor.admits(job, jobs)) break; // nothing smaller goes first, or a large step might wait for ever
      await this.#prepare(state, job);
      jobs.push(job);
    }
    if (jobs.length > 0) await executor.submit(jobs);
  }

  /** Puts a step into the state of running; all that is left to do is to submit its job. */
  async #prepare(state: StepState, job: Job): Promise<void> {
    const { store, depth, transcript } = this.#options;
    const { step, resolved } = state;
    await this.#references.begin(step.name, resolved!);
    const path = reportsPath(store, job.key);
    state.reports = new LineReader(path, parseReport, await sizeOf(path));
    await writeJob(store, this.#study.name, step, resolved!, depth);
    state.job = job;
    state.attempt = undefined;
    state.verdict = undefined;
    state.phase = 'running';
    transcript.add({ type: 'step-started', step: step.name, identity: job.key });
  }

  /** Is somebody making this step's artifact already? Then it waits for that. */
  async #isElsewhere(state: StepState): Promise<boolean> {
    const { identity } = state.resolved!;
    const { store, here } = this.#options;
    if (this.#states.some(other => other.phase === 'running' && other.resolved!.identity === identity)) {
      state.phase = 'elsewhere';
      return true;
    }
    const [holder] = await liveLeases(store.leaseFolder(identity), here);
    if (!holder) return false;
    if (state.phase !== 'elsewhere') {
      const { machine, pid } = holder;
      this.#options.transcript.add({ type: 'step-elsewhere', step: state.step.name, identity, machine, pid });
    }
    state.phase = 'elsewhere';
    return true;
  }

  /** Asks the running children to stop at their next checkpoint, once; nothing else begins. */
  async #interrupt(): Promise<void> {
    if (this.#cancelled) return;
    this.#cancelled = true;
    const running = this.#states.filter(({ phase }) => phase === 'running');
    await this.#options.executor.cancel(running.map(keyOf), 'politely');
  }

  /** Until the executor has news, it is time to look for reports, or the run is interrupted. */
  async #wait(): Promise<void> {
    const wake = new AbortController();
    const end = () => wake.abort();
    const timer = setTimeout(end, this.#options.pollMs);
    if (!this.#cancelled) this.#options.signal.addEventListener('abort', end, { once: true });
    if (this.#options.signal.aborted && !this.#cancelled) end();
    await this.#options.executor.changed(wake.signal);
    clearTimeout(timer);
    this.#options.signal.removeEventListener('abort', end);
  }

  async #collect(): Promise<void> {
    const running = this.#states.filter(({ phase }) => phase === 'running');
    const statuses = await this.#options.executor.status(running.map(keyOf));
    for (const state of running) {
      await this.#readReports(state);
      await this.#judge(state, statuses.get(keyOf(state)) ?? { state: 'absent' });
    }
    for (const state of this.#states)
      if (
        state.phase === 'elsewhere' &&
        !(await this.#take(state, 'made')) &&
        !(await this.#isElsewhere(state))
      )
        state.phase = 'ready';
  }

  async #readReports(state: StepState): Promise<void> {
    for (const report of (await state.reports?.read()) ?? []) {
      this.#options.transcript.relay(state.step.name, keyOf(state), report);
      if (report.type === 'attempt') {
        state.attempt = report;
        state.verdict = undefined; // the last one was of another process
      }
      if (report.type === 'failed' || report.type === 'published') state.verdict = report;
    }
  }

  /** What the state of a job means for its step. */
  async #judge(state: StepState, status: JobStatus): Promise<void> {
    if (status.state === 'exited') return this.#judgeExit(state, status);
    if (status.state === 'lost' || status.state === 'absent') return this.#judgeLoss(state, status);
    const reason = status.state === 'blocked' ? status.reason : undefined;
    if (reason !== undefined && reason !== state.blocked)
      this.#options.transcript.add({
        type: 'step-blocked',
        step: state.step.name,
        identity: keyOf(state),
        reason,
      });
    state.blocked = reason;
  }

  async #judgeExit(
    state: StepState,
    { code, signal }: Extract<JobStatus, { state: 'exited' }>,
  ): Promise<void> {
    await this.#readReports(state); // what it wrote between the last look and its end
    if (await this.#take(state, 'made')) return; // however it ended: it may have been killed just after it published
    if (code === EXIT_BUSY) {
      state.phase = 'ready'; // the next look finds who has it
      return;
    }
    if (code === EXIT_INTERRUPTED || (this.#cancelled && signal !== undefined)) {
      state.phase = 'interrupted';
      this.#options.transcript.add({
        type: 'step-interrupted',
        step: state.step.name,
        identity: keyOf(state),
      });
      return;
    }
    const logTail = [...(await this.#options.executor.logs(state.job!, LOG_LINES))];
    await this.#fail(state, { ...failureOf(state.verdict, code, signal), logTail });
  }

  async #judgeLoss(state: StepState, status: JobStatus): Promise<void> {
    const reason = status.state === 'lost' ? status.reason : 'the executor does not know it';
    if (await this.#take(state, 'made')) return;
    if (++state.losses < MAX_ATTEMPTS && !this.#cancelled) {
      state.phase = 'ready';
      this.#options.transcript.add({
        type: 'step-retried',
        step: state.step.name,
        identity: keyOf(state),
        reason,
      });
      return;
    }
    const logTail = [...(await this.#options.executor.logs(state.job!, LOG_LINES))];
    await this.#fail(state, { reason: 'lost', message: `lost ${state.losses} times: ${reason}`, logTail });
  }

  async #fail(state: StepState, failure: Failure): Promise<void> {
    state.phase = 'failed';
    state.failure = failure;
    await this.#references.fail(state.step.name, failure.message.split('\n')[0]!);
    if (failure.reason === 'changed') this.#forgetOutsideHashes(state);
    const identity = state.resolved?.identity;
    this.#options.transcript.add({
      type: 'step-failed',
      step: state.step.name,
      ...(identity !== undefined && { identity }),
      failure,
    });
  }

  #forgetOutsideHashes(state: StepState): void {
    for (const source of Object.values(state.step.sources).flat())
      if ('path' in source) this.#options.hashes.forget(source.path);
  }

  /** After the last step: references of steps that are no more, and scratch that a child had no time to remove. */
  async #tidy(): Promise<void> {
    const { store, here } = this.#options;
    if (this.#states.every(({ phase }) => phase === 'cached' || phase === 'made'))
      await this.#references.keepOnly(this.#states.map(({ step }) => step.name));
    const left = new Set(await readdir(store.path('scratch')).catch(() => []));
    const done = [...this.#artifacts.values()].filter(({ identity }) => left.has(identity));
    await mapConcurrently(done, 4, async ({ identity }) => {
      if ((await liveLeases(store.leaseFolder(identity), here)).length > 0) return;
      await rm(store.scratchFolder(identity), { recursive: true, force: true });
    });
  }
}
