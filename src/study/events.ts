/**
 * The one event stream. A running step writes reports; the runner wraps them in study events and adds its own. Terminal, log
 * files, `status`, dashboard and tests all read these and nothing else. Times are milliseconds since the epoch.
 */
import { z } from 'zod';

const at = z.number();

const progressSchema = z.object({
  label: z.string(),
  total: z.number().optional(),
  unit: z.string(),
  done: z.number(),
  fresh: z.number(),
  seconds: z.number(),
  note: z.string().optional(),
  end: z.boolean(),
});

/** What a step says while it runs, one line each in `jobs/<identity>/reports.jsonl`. */
export const reportSchema = z.discriminatedUnion('type', [
  /** A process has begun to work on the step; `resumed` if it found an earlier attempt's scratch. */
  z.object({ type: z.literal('attempt'), at, pid: z.number(), machine: z.string(), resumed: z.boolean() }),
  z.object({ type: z.literal('progress'), at, state: progressSchema }),
  z.object({
    type: z.literal('metrics'),
    at,
    values: z.record(z.string(), z.number()),
    position: z.number().optional(),
  }),
  z.object({ type: z.literal('log'), at, text: z.string() }),
  z.object({ type: z.literal('warning'), at, text: z.string() }),
  z.object({
    type: z.literal('artifact'),
    at,
    output: z.string(),
    holds: z.string(),
    files: z.number(),
    bytes: z.number(),
    sha256: z.string(),
  }),
  /** `first` is false where another process had published the same artifact meanwhile. */
  z.object({
    type: z.literal('published'),
    at,
    seconds: z.number(),
    bytes: z.number(),
    first: z.boolean(),
    resumed: z.boolean(),
  }),
  z.object({ type: z.literal('interrupted'), at }),
  z.object({
    type: z.literal('failed'),
    at,
    /** `input`: the data are wrong. `changed`: an outside file was written to meanwhile. `error`: the work failed. */
    reason: z.enum(['input', 'changed', 'error']),
    message: z.string(),
    stack: z.string().optional(),
  }),
]);

export type Report = z.infer<typeof reportSchema>;

const failureSchema = z.object({
  /**
   * `input`: the data a step read are wrong. `changed`: an outside file it read was written to meanwhile. `error`: it threw. `exit`, `signal`: its process ended without a word. `lost`: the
   * executor no longer knows the job. `unpublished`: it ended well but left no artifact. `unresolved`: what it reads could not be read.
   */
  reason: z.enum(['input', 'changed', 'error', 'exit', 'signal', 'lost', 'unpublished', 'unresolved']),
  message: z.string(),
  stack: z.string().optional(),
  /** The last lines the process printed. */
  logTail: z.array(z.string()),
});

export type Failure = z.infer<typeof failureSchema>;

const stepOutline = z.object({
  name: z.string(),
  kind: z.string(),
  needs: z.array(z.string()),
  threads: z.number().optional(),
  flops: z.number().optional(),
  /** Expected duration. */
  seconds: z.number().optional(),
});

export type StepOutline = z.infer<typeof stepOutline>;

const step = z.string();
const identity = z.string();

export const studyEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('study-started'),
    at,
    study: z.string(),
    run: z.string(),
    machine: z.string(),
    pid: z.number(),
    executor: z.string(),
    workers: z.number(),
    steps: z.array(stepOutline),
  }),
  z.object({ type: z.literal('step-cached'), at, step, identity }),
  z.object({ type: z.literal('step-started'), at, step, identity }),
  /** Another process is making this artifact; this runner waits for it. */
  z.object({ type: z.literal('step-elsewhere'), at, step, identity, machine: z.string(), pid: z.number() }),
  /** The executor holds the job back until somebody acts. */
  z.object({ type: z.literal('step-blocked'), at, step, identity, reason: z.string() }),
  z.object({ type: z.literal('report'), at, step, identity, report: reportSchema }),
  z.object({ type: z.literal('step-retried'), at, step, identity, reason: z.string() }),
  z.object({
    type: z.literal('step-finished'),
    at,
    step,
    identity,
    kind: z.string(),
    bytes: z.number(),
    /** Work of the last attempt; absent where another process did it. */
    seconds: z.number().optional(),
    flops: z.number().optional(),
    /** An earlier attempt did part of the work: `seconds` is not the whole duration. */
    resumed: z.boolean(),
    machine: z.string().optional(),
  }),
  z.object({
    type: z.literal('step-failed'),
    at,
    step,
    identity: identity.optional(),
    failure: failureSchema,
  }),
  z.object({ type: z.literal('step-interrupted'), at, step, identity }),
  /** Not run because a step it needs failed, was interrupted, or was itself skipped. */
  z.object({ type: z.literal('step-skipped'), at, step, because: z.string() }),
  z.object({
    type: z.literal('study-finished'),
    at,
    outcome: z.enum(['done', 'failed', 'interrupted']),
    seconds: z.number(),
  }),
]);

export type StudyEvent = z.infer<typeof studyEventSchema>;

/** An event without its time, which whoever emits it adds. */
export type Untimed<E> = E extends { readonly at: number } ? Omit<E, 'at'> : never;

export const parseReport = (value: unknown): Report | undefined => reportSchema.safeParse(value).data;
export const parseStudyEvent = (value: unknown): StudyEvent | undefined =>
  studyEventSchema.safeParse(value).data;

/** Events that pass too quickly to be worth keeping once the next has come; the run's log leaves them out. */
export function isPassing(event: StudyEvent): boolean {
  return event.type === 'report' && event.report.type === 'progress';
}
