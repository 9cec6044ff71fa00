/**
 * What a step kind is: a piece of work declared once, with everything the engine must know to check, identify, schedule and
 * run it. A module exports its kinds as `kinds`; the registry remembers the module's address, so that a child process can load it.
 */
import type { z } from 'zod';
import type { Progress } from '../base/index.ts';

/** How many artifacts an input takes. `many` and `any` keep the order in which they are listed. */
export type Count = 'one' | 'optional' | 'many' | 'any';

/** An input of a kind: what type of artifact it reads. Types are names that kinds agree on (`text`, `model`, `run`). */
export interface Slot<C extends Count = Count> {
  readonly type: string;
  readonly count: C;
}

export type Slots = Readonly<Record<string, Slot>>;

export const one = (type: string): Slot<'one'> => ({ type, count: 'one' });
export const optional = (type: string): Slot<'optional'> => ({ type, count: 'optional' });
/** At least one artifact. */
export const many = (type: string): Slot<'many'> => ({ type, count: 'many' });
/** Any number of artifacts, none included. */
export const any = (type: string): Slot<'any'> => ({ type, count: 'any' });

/** Where a running step finds its inputs: absolute paths of files or folders. */
export type InputPaths<I extends Slots> = {
  readonly [K in keyof I]: I[K]['count'] extends 'many' | 'any'
    ? readonly string[]
    : I[K]['count'] extends 'optional'
      ? string | undefined
      : string;
};

/** All a step may touch. What it reads beyond this (clock, environment, other files) must not reach its outputs. */
export interface StepContext<P, I extends Slots> {
  /** Checked, with defaults filled in. */
  readonly params: P;
  /** Read-only. */
  readonly inputs: InputPaths<I>;
  /** The absolute path at which to write a declared output: a file, or a folder that the step makes. */
  output(name: string): string;
  /** A private folder that outlives crashes and interruptions: for checkpoints. Empty on the first attempt, gone after publication. */
  readonly scratch: string;
  /** Threads to use; also `OMP_NUM_THREADS` of the process. */
  readonly threads: number;
  /**
   * Fires when the run is interrupted. A step then either finishes its whole work or saves a checkpoint in `scratch` and
   * throws (`signal.throwIfAborted()`); it never returns with part of its work.
   */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Numbers worth watching while it runs, at an optional position (a training step). Results belong into outputs. */
  metrics(values: Readonly<Record<string, number>>, at?: number): void;
  log(text: string): void;
  warn(text: string): void;
}

export interface Estimate {
  readonly flops?: number;
  /** On one machine of the usual kind; recorded durations replace it as soon as there are some. */
  readonly seconds?: number;
}

export interface Resources {
  /** Default 1. Must follow from the parameters alone, since results may depend on it. */
  readonly threads?: number;
  /** Peak resident memory, where it is worth limiting how many such steps run at once. */
  readonly memoryBytes?: number;
}

export interface StepKind<P, I extends Slots = Slots> {
  readonly kind: string;
  /** Counts changes of the code that change what it writes; bumping it runs every such step again. */
  readonly version: number;
  /** Its output must be plain JSON data: it is what identifies the step. */
  readonly schema: z.ZodType<P>;
  readonly inputs: I;
  /** What the step writes, and of what type each is. It must write all of these and nothing else. */
  outputs(params: P): Readonly<Record<string, string>>;
  resources?(params: P): Resources;
  estimate?(params: P): Estimate;
  /**
   * Does the work. Equal parameters and inputs must give equal bytes, interrupted and resumed or not.
   * Throws `InputError` where the data are wrong, anything else where the work failed.
   */
  run(context: StepContext<P, I>): Promise<void>;
}

/** A kind whose parameter type is no longer known; only the engine handles these. */
export type AnyStepKind = StepKind<unknown, Slots>;

/** Declares a kind; infers the types of its parameters and inputs. */
export function defineStep<P, const I extends Slots>(kind: StepKind<P, I>): AnyStepKind {
  return kind as unknown as AnyStepKind;
}
