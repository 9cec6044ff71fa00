/** What the runner tells a child process, in `jobs/<identity>/job.json`, and what the child's exit code tells the runner. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { writeFileAtomic } from '../base/index.ts';
import type { Job } from './executor.ts';
import type { Step } from './graph.ts';
import type { Resolved } from './resolve.ts';
import { type Depth, fingerprintSchema, type Store } from './store.ts';

const jobInput = z.strictObject({
  /** Absolute. */
  path: z.string(),
  /** The artifact it is part of; absent for a file or folder from outside. */
  identity: z.string().optional(),
});

export const jobSchema = z.strictObject({
  store: z.string(),
  study: z.string(),
  step: z.string(),
  identity: z.string(),
  fingerprint: fingerprintSchema,
  /** Address of the module that exports the kind. */
  module: z.string(),
  outputs: z.record(z.string(), z.string()),
  inputs: z.record(z.string(), z.array(jobInput)),
  threads: z.number(),
  /** How inputs and an artifact that is already there are checked. */
  depth: z.enum(['quick', 'full']),
});

export type JobFile = z.infer<typeof jobSchema>;

/** Exit codes of a child. 0 and 1 are success and failure, as everywhere. */
export const EXIT_BUSY = 75;
export const EXIT_INTERRUPTED = 76;

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));

/** Writes the file that a step's job reads. */
export async function writeJob(
  store: Store,
  study: string,
  step: Step,
  resolved: Resolved,
  depth: Depth,
): Promise<void> {
  const file: JobFile = {
    store: store.root,
    study,
    step: step.name,
    identity: resolved.identity,
    fingerprint: resolved.fingerprint as JobFile['fingerprint'],
    module: step.module,
    outputs: { ...step.outputs },
    inputs: resolved.paths as JobFile['inputs'],
    threads: step.threads,
    depth,
  };
  await writeFileAtomic(join(store.jobFolder(resolved.identity), 'job.json'), JSON.stringify(file));
}

/** The job that runs a step, once its file is written. */
export function jobOf(store: Store, study: string, step: Step, identity: string): Job {
  const folder = store.jobFolder(identity);
  return {
    key: identity,
    name: `${study}/${step.name}`,
    argv: [process.execPath, CHILD, join(folder, 'job.json')],
    env: stepEnvironment(step.threads),
    logPath: join(folder, 'log.txt'),
    threads: step.threads,
    memoryBytes: step.memoryBytes,
  };
}

/** What would otherwise make outputs depend on where a step runs: thread count, time zone, language. */
function stepEnvironment(threads: number): Record<string, string> {
  return { OMP_NUM_THREADS: String(threads), TZ: 'UTC', LC_ALL: 'C' };
}

export function reportsPath(store: Store, identity: string): string {
  return join(store.jobFolder(identity), 'reports.jsonl');
}

export async function readJob(path: string): Promise<JobFile> {
  return jobSchema.parse(JSON.parse(await readFile(path, 'utf8')));
}
