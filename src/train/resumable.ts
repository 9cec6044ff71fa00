/**
 * Work in numbered steps that survives any interruption: the order of segments, checkpoints, resuming and cleaning up, for pretraining and
 * finetuning alike. What a step does is the job's business.
 */
import { InputError, StepError } from '../base/index.ts';
import type { TrainEvent } from './events.ts';
import type { Position, RunFolder } from './run-folder.ts';
import type { TrainingState } from './state.ts';

/** Steps `from` .. `to` (exclusive), begun from where another segment ended. */
export interface StepRange {
  readonly name: string;
  /** Name of the segment whose final state this one continues; undefined: the job's initial state. */
  readonly after: string | undefined;
  readonly from: number;
  readonly to: number;
  /** Others continue from its end, so the end is kept as a checkpoint; otherwise `finish` makes a result of it. */
  readonly isTrunk: boolean;
}

export interface StepJob<S extends StepRange> {
  readonly segments: readonly S[];
  readonly initialState: () => Promise<TrainingState> | TrainingState;
  /** Names and shapes a checkpoint must have. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly load: (state: TrainingState) => void;
  readonly read: () => Promise<TrainingState>;
  /** Takes at least one and at most `most` steps from `step` on; returns how many. */
  readonly takeSteps: (segment: S, step: number, most: number) => Promise<number>;
  /** A step at which runs must end, because something is due there: the first one after `step`. */
  readonly nextStop: (step: number) => number;
  /** Called at every stop inside a segment. */
  readonly atStop: (segment: S, step: number) => Promise<void>;
  /** Makes the result of a finished segment. */
  readonly finish: (segment: S) => Promise<void>;
  /** Steps whose checkpoints are kept for good. */
  readonly keptSteps: readonly number[];
}

export interface StepEffects {
  readonly folder: RunFolder;
  readonly emit: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  /** Save a checkpoint to resume from when this much time has passed since the last. */
  readonly checkpointEveryMs: number;
}

/** Steps over all segments: what a run costs. */
export function totalSteps(segments: readonly StepRange[]): number {
  return segments.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Does what is left of a job. The same bytes come out however often it was interrupted. */
export async function runSegments<S extends StepRange>(job: StepJob<S>, effects: StepEffects): Promise<void> {
  const run = new SegmentRun(job, effects);
  try {
    await run.all();
  } finally {
    effects.folder.close();
  }
}

class SegmentRun<S extends StepRange> {
  readonly #job: StepJob<S>;
  readonly #effects: StepEffects;
  #savedAt: number;
  /** Segments that were done again because their end could not be read. */
  readonly #again = new Set<S>();

  constructor(job: StepJob<S>, effects: StepEffects) {
    this.#job = job;
    this.#effects = effects;
    this.#savedAt = effects.now();
  }

  async all(): Promise<void> {
    while (!(await this.#left())) this.#effects.folder.close();
  }

  /** Does what is left; false if that must begin anew, earlier, since what it would go on from is gone. */
  async #left(): Promise<boolean> {
    const { finished, metricsBytes } = await this.#effects.folder.progress();
    const left = this.#job.segments.filter(({ name }) => !finished.includes(name));
    for (const [i, segment] of left.entries()) {
      const start = await this.#begin(segment, i === 0 ? metricsBytes : undefined);
      if (start === undefined) return false;
      if (start < segment.to) {
        await this.#steps(segment, start);
        await this.#end(segment);
      }
      await this.#leave(segment);
    }
    return true;
  }

  /**
   * Puts the state in place that the segment goes on from; returns the steps already done, or undefined if the segment before has to be done
   * again. `metricsBytes` is given for the first segment of this process: where the metrics of finished segments end.
   */
  async #begin(segment: S, metricsBytes: number | undefined): Promise<number | undefined> {
    const { folder, emit } = this.#effects;
    const position = await this.#loadNewest(segment);
    const parent = this.#job.segments.find(({ name }) => name === segment.after);
    if (position !== undefined) {
      await folder.openMetrics(position.metricsBytes);
      emit({ type: 'resumed', segment: segment.name, step: position.step });
      return position.step;
    }
    if (parent && (await this.#tryLoad(parent, parent.to)) === undefined) {
      await this.#goBackTo(parent);
      return undefined;
    }
    if (!parent) this.#job.load(await this.#job.initialState());
    if (metricsBytes !== undefined) await folder.openMetrics(metricsBytes);
    return segment.from;
  }

  /** Forgets that a segment, and whatever came after it, was ever begun: the end of it cannot be read any more. Models stay. */
  async #goBackTo(segment: S): Promise<void> {
    const { segments } = this.#job;
    if (this.#again.has(segment))
      throw new StepError(
        segment.name,
        'its last checkpoint cannot be read back, twice: is the disk damaged?',
      );
    this.#again.add(segment);
    const { folder } = this.#effects;
    const [, ...later] = segments.slice(segments.indexOf(segment));
    for (const { name } of later)
      for (const step of await folder.checkpoints(name))
        await folder.removeCheckpoint({ segment: name, step });
    await folder.forget([segment, ...later].map(({ name }) => name));
  }

  /** Loads the newest whole checkpoint inside a segment, if there is one; damaged ones (a failing disk, a careless copy) are set aside. */
  async #loadNewest(segment: S): Promise<Position | undefined> {
    const steps = await this.#effects.folder.checkpoints(segment.name);
    const inside = (at: number) =>
      at > segment.from && (at < segment.to || (segment.isTrunk && at === segment.to));
    for (const step of steps.filter(inside).reverse()) {
      const position = await this.#tryLoad(segment, step);
      if (position !== undefined) return position;
    }
    return undefined;
  }

  /** Loads a checkpoint; undefined if there is none, or, after it was set aside, if it is damaged. */
  async #tryLoad({ name: segment }: S, step: number): Promise<Position | undefined> {
    const { folder, emit } = this.#effects;
    if (!(await folder.checkpoints(segment)).includes(step)) return undefined;
    try {
      return await this.#load(segment, step);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const path = await folder.setAside({ segment, step });
      emit({ type: 'damaged', segment, step, path, message: error.message });
      return undefined;
    }
  }

  async #load(segment: string, step: number): Promise<Position> {
    const { state, position } = await this.#effects.folder.loadCheckpoint(
      { segment, step },
      this.#job.shapes,
    );
    this.#job.load(state);
    return position;
  }

  async #steps(segment: S, start: number): Promise<void> {
    for (let step = start; step < segment.to; ) {
      if (this.#effects.signal.aborted) await this.#stop(segment, step);
      const stop = Math.min(segment.to, this.#job.nextStop(step));
      step += await this.#job.takeSteps(segment, step, stop - step);
      if (step === stop && step < segment.to) await this.#job.atStop(segment, step);
      if (step < segment.to && this.#isSaveDue(step)) await this.#save(segment, step);
    }
  }

  #isSaveDue(step: number): boolean {
    const { now, checkpointEveryMs } = this.#effects;
    return this.#job.keptSteps.includes(step) || now() - this.#savedAt >= checkpointEveryMs;
  }

  async #save(segment: S, step: number): Promise<void> {
    const { folder, emit, now } = this.#effects;
    const path = await folder.saveCheckpoint({ segment: segment.name, step }, await this.#job.read());
    this.#savedAt = now();
    emit({ type: 'checkpoint', segment: segment.name, step, path });
    await this.#removeOlder(segment, step);
  }

  /** Only now that a newer checkpoint is whole may the older ones go, except those asked for. */
  async #removeOlder(segment: S, step: number): Promise<void> {
    const { folder } = this.#effects;
    for (const older of await folder.checkpoints(segment.name)) {
      const kept = this.#job.keptSteps.includes(older);
      if (older < step && !kept) await folder.removeCheckpoint({ segment: segment.name, step: older });
    }
  }

  /** Leaves a checkpoint to continue from and throws what the signal carries. */
  async #stop(segment: S, step: number): Promise<void> {
    if (step > segment.from) await this.#save(segment, step);
    this.#effects.signal.throwIfAborted();
  }

  /** A result, or the end of a trunk for others to continue from. */
  async #end(segment: S): Promise<void> {
    await this.#job.finish(segment);
    if (segment.isTrunk) await this.#save(segment, segment.to);
  }

  /** The segment is done: whatever nobody needs any more goes. */
  async #leave(segment: S): Promise<void> {
    const { folder } = this.#effects;
    await folder.markFinished(segment.name);
    await this.#removeOlder(segment, segment.isTrunk ? segment.to : Number.POSITIVE_INFINITY);
    const later = this.#job.segments.slice(this.#job.segments.indexOf(segment) + 1);
    for (const trunk of this.#job.segments) {
      const needed = trunk === segment || later.some(({ after }) => after === trunk.name);
      const isDone = trunk.isTrunk && !needed && !this.#job.keptSteps.includes(trunk.to);
      if (isDone) await folder.removeCheckpoint({ segment: trunk.name, step: trunk.to });
    }
  }
}
