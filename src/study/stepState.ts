/** A step in the course of a run. */
import type { Failure, Report, StepOutline } from './events.ts';
import type { Job } from './executor.ts';
import type { Step } from './graph.ts';
import { type Duration, expectation } from './history.ts';
import type { LineReader } from './records.ts';
import type { Resolved } from './resolve.ts';

/**
 * `waiting` for the steps it needs; `ready` to run; `elsewhere`: another process, or another step of the same identity, is at it.
 * The others are ends; after an interruption, steps may also stay where they are.
 */
export type Phase =
  | 'waiting'
  | 'ready'
  | 'running'
  | 'elsewhere'
  | 'cached'
  | 'made'
  | 'failed'
  | 'skipped'
  | 'interrupted';

export interface StepState {
  readonly step: Step;
  phase: Phase;
  resolved?: Resolved;
  job?: Job;
  reports?: LineReader<Report>;
  /** What the present attempt has said of where it runs and how it ended. */
  attempt?: Extract<Report, { type: 'attempt' }> | undefined;
  verdict?: Extract<Report, { type: 'failed' | 'published' }> | undefined;
  blocked?: string | undefined;
  losses: number;
  failure?: Failure;
  seconds?: number;
}

/** A step with what is expected of it. */
export function outlineOf(step: Step, durations: readonly Duration[], machine: string): StepOutline {
  const { name, kind, needs, threads, estimate } = step;
  const { flops, seconds } = expectation(kind.kind, undefined, estimate, durations, machine);
  return {
    name,
    kind: kind.kind,
    needs: [...needs],
    threads,
    ...(flops !== undefined && { flops }),
    ...(seconds !== undefined && { seconds }),
  };
}

/** The identity of a step whose inputs are known. */
export function keyOf(state: StepState): string {
  return state.resolved!.identity;
}
