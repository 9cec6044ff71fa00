/** One attempt at one step, inside a child process: claim it, run it, publish what it wrote. */
import { chmod, mkdir, open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  InputError,
  isAbort,
  joinInside,
  mapConcurrently,
  messageOf,
  moveFolder,
  prettyJson,
  StepError,
  syncFolder,
  trackedProgress,
  writeFileAtomic,
} from '../base/index.ts';
import { digestOf, outsideDigest, signatureOfTree } from './digest.ts';
import type { Report, Untimed } from './events.ts';
import { identityOf } from './fingerprint.ts';
import { thisProcess } from './holder.ts';
import { EXIT_BUSY, EXIT_INTERRUPTED, type JobFile, reportsPath } from './job.ts';
import type { AnyStepKind, InputPaths, Slots, StepContext } from './kind.ts';
import { claim, Lease } from './lease.ts';
import { LineWriter } from './records.ts';
import { kindsOf } from './registry.ts';
import { adoptScratch, type Scratch } from './scratch.ts';
import { MANIFEST } from './spec.ts';
import { type Manifest, manifestOf, outputEntry, Store } from './store.ts';

export interface AttemptEffects {
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Seconds since some fixed moment. */
  readonly seconds: () => number;
  /** Called with the lease while it must be kept alive, and before it is given back. */
  readonly keepLease: (path: string) => void;
  readonly dropLease: () => Promise<void>;
}

type Tell = (report: Untimed<Report>) => void;

/** Runs the step unless its artifact is there or somebody else is at it. Returns the exit code of the process. */
export async function attempt(job: JobFile, effects: AttemptEffects): Promise<number> {
  const store = await Store.open(job.store);
  if ((await store.lookup(job.identity, job.depth)).state === 'whole') return 0;
  const reads = [...new Set(allInputs(job).flatMap(input => input.identity ?? []))];
  const wanted = { ...(await thisProcess()), purpose: `${job.study}/${job.step}`, reads };
  const lease = await claim(store.leaseFolder(job.identity), wanted);
  if (!(lease instanceof Lease)) return EXIT_BUSY;
  effects.keepLease(lease.path);
  try {
    return await attemptAlone(store, job, lease, effects);
  } finally {
    await effects.dropLease();
    await lease.release();
  }
}

/** The same, while nobody else works on this identity. */
async function attemptAlone(
  store: Store,
  job: JobFile,
  lease: Lease,
  effects: AttemptEffects,
): Promise<number> {
  const found = await store.lookup(job.identity, job.depth);
  if (found.state === 'whole') return 0;
  const lines = new LineWriter(reportsPath(store, job.identity));
  const tell: Tell = report => lines.write({ ...report, at: effects.now() });
  try {
    if (found.state === 'damaged') {
      tell({ type: 'warning', text: `the artifact was damaged and is made again: ${found.detail}` });
      await store.discard(store.artifactFolder(job.identity));
    }
    const { machine } = await thisProcess();
    const scratch = await adoptScratch(store, job.identity, lease.id);
    tell({ type: 'attempt', pid: process.pid, machine, resumed: scratch.resumed });
    await work(store, job, scratch, tell, effects);
    return 0;
  } catch (error) {
    return reportFailure(error, effects.signal, tell);
  } finally {
    lines.close();
  }
}

function reportFailure(error: unknown, signal: AbortSignal, tell: Tell): number {
  if (signal.aborted && (isAbort(error) || error === signal.reason)) {
    tell({ type: 'interrupted' });
    return EXIT_INTERRUPTED;
  }
  const reason = reasonOf(error);
  const stack = reason === 'error' && error instanceof Error ? error.stack : undefined;
  tell({ type: 'failed', reason, message: messageOf(error), ...(stack !== undefined && { stack }) });
  return 1;
}

function reasonOf(error: unknown): Extract<Report, { type: 'failed' }>['reason'] {
  if (error instanceof ChangedInput) return 'changed';
  return error instanceof InputError ? 'input' : 'error';
}

async function work(
  store: Store,
  job: JobFile,
  scratch: Scratch,
  tell: Tell,
  effects: AttemptEffects,
): Promise<void> {
  const began = effects.seconds();
  const kind = await kindOf(job);
  const before = await checkInputs(store, job);
  process.chdir(scratch.work); // a stray relative path lands in scratch
  try {
    await kind.run(contextOf(job, kind, scratch, tell, effects));
  } finally {
    process.chdir(store.root);
  }
  await checkUnchanged(job, before);
  const outputs = await collectOutputs(job, scratch.out, effects.signal);
  for (const [output, { holds, files, bytes, sha256 }] of Object.entries(outputs))
    tell({ type: 'artifact', output, holds, files: files.length, bytes, sha256 });
  const first = await publish(store, job, scratch.out, outputs, tell);
  const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0);
  tell({ type: 'published', seconds: effects.seconds() - began, bytes, first, resumed: scratch.resumed });
  await rm(store.scratchFolder(job.identity), { recursive: true, force: true });
}

async function kindOf(job: JobFile): Promise<AnyStepKind> {
  const { kind: name, version } = job.fingerprint;
  const kind = (await kindsOf(job.module)).find(kind => kind.kind === name);
  if (kind?.version === version && identityOf(job.fingerprint) === job.identity) return kind;
  const found = kind ? `version ${kind.version}` : 'nothing of that name';
  throw new StepError(
    job.step,
    `the code changed since the run began: expected version ${version} of step kind '${name}', found ${found}. Start the run again`,
  );
}

function allInputs(job: JobFile) {
  return Object.values(job.inputs).flat();
}

/** Are the inputs what the fingerprint says? Returns the signatures of those from outside, which others may write to. */
async function checkInputs(store: Store, job: JobFile): Promise<ReadonlyMap<string, string>> {
  const signatures = new Map<string, string>();
  for (const [name, places] of Object.entries(job.inputs)) {
    for (const [i, { path, identity }] of places.entries()) {
      const expected = job.fingerprint.inputs[name]?.[i];
      if (identity !== undefined) {
        const found = await store.lookup(identity, job.depth);
        if (found.state !== 'whole')
          throw new StepError(job.step, `input '${name}' (${path}) is ${found.state}. Start the run again`);
      } else {
        signatures.set(path, await signatureOfTree(path).catch(() => 'unreadable'));
        if ((await outsideDigest(path)).sha256 !== expected?.sha256) throw new ChangedInput(job.step, path);
      }
    }
  }
  return signatures;
}

async function checkUnchanged(job: JobFile, before: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, signature] of before)
    if ((await signatureOfTree(path).catch(() => 'unreadable')) !== signature)
      throw new ChangedInput(job.step, path);
}

/** An input from outside is no longer what the step is identified by. */
class ChangedInput extends StepError {
  constructor(step: string, path: string) {
    super(step, `${path} was changed while the study ran. Start the run again`);
  }
}

function contextOf(
  job: JobFile,
  kind: AnyStepKind,
  scratch: Scratch,
  tell: Tell,
  effects: AttemptEffects,
): StepContext<unknown, Slots> {
  return {
    params: job.fingerprint.params,
    inputs: inputPaths(kind, job),
    output(name) {
      if (!Object.hasOwn(job.outputs, name))
        throw new StepError(job.step, `step kind '${kind.kind}' declares no output '${name}'`);
      return join(scratch.out, name);
    },
    scratch: scratch.work,
    threads: job.threads,
    signal: effects.signal,
    progress: trackedProgress({
      seconds: effects.seconds,
      everySeconds: 0.25,
      report: state => tell({ type: 'progress', state }),
    }),
    metrics(values, position) {
      for (const [name, value] of Object.entries(values))
        if (!Number.isFinite(value)) throw new StepError(job.step, `the metric ${name} is ${value}`);
      tell({ type: 'metrics', values: { ...values }, ...(position !== undefined && { position }) });
    },
    log: text => tell({ type: 'log', text }),
    warn: text => tell({ type: 'warning', text }),
  };
}

function inputPaths(kind: AnyStepKind, job: JobFile): InputPaths<Slots> {
  const entries = Object.entries(kind.inputs).map(([name, slot]) => {
    const paths = (job.inputs[name] ?? []).map(place => place.path);
    return [name, slot.count === 'many' || slot.count === 'any' ? paths : paths[0]] as const;
  });
  return Object.fromEntries(entries) as InputPaths<Slots>;
}

const PARALLEL_FILES = 8;

/** Checks that the step wrote what its kind declares and nothing else, hashes it, and flushes it to the disk. */
async function collectOutputs(job: JobFile, out: string, signal: AbortSignal): Promise<Manifest['outputs']> {
  const found = (await readdir(out)).sort();
  const declared = Object.keys(job.outputs).sort();
  const missing = declared.filter(name => !found.includes(name));
  const extra = found.filter(name => !declared.includes(name));
  if (missing.length > 0) signal.throwIfAborted(); // it was interrupted, and returned instead of throwing
  if (missing.length > 0) throw new StepError(job.step, `did not write its output ${missing.join(', ')}`);
  if (extra.length > 0)
    throw new StepError(job.step, `wrote ${extra.join(', ')}, which its kind does not declare`);
  const outputs: Manifest['outputs'] = {};
  for (const name of declared) {
    const content = await digestOf(join(out, name), 'refuse').catch((error: unknown): never => {
      throw new StepError(job.step, `its output ${name}: ${messageOf(error)}`, { cause: error });
    });
    const paths = content.files.map(file =>
      file.path === '' ? join(out, name) : joinInside(join(out, name), file.path),
    );
    await mapConcurrently(paths, PARALLEL_FILES, sealFile);
    await mapConcurrently([...new Set(paths.map(dirname))], PARALLEL_FILES, syncFolder);
    outputs[name] = outputEntry(job.outputs[name]!, content);
  }
  return outputs;
}

/** To the disk, and read-only from now on: a later step that writes into its input is stopped by the system. */
async function sealFile(path: string): Promise<void> {
  const file = await open(path, process.platform === 'win32' ? 'r+' : 'r'); // only Windows asks for the right to write
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(path, 0o444);
}

/** The manifest last, then the rename. Returns false if the artifact was there already. */
async function publish(
  store: Store,
  job: JobFile,
  out: string,
  outputs: Manifest['outputs'],
  tell: Tell,
): Promise<boolean> {
  await writeFileAtomic(join(out, MANIFEST), prettyJson(manifestOf(job.fingerprint, outputs)));
  const folder = store.artifactFolder(job.identity);
  await mkdir(dirname(folder), { recursive: true });
  if (await moveFolder(out, folder)) return true;
  const there = await store.lookup(job.identity);
  if (there.state !== 'whole')
    throw new StepError(job.step, `something that is no artifact stands at ${folder}`);
  const differing = Object.keys(outputs).filter(
    name => there.artifact.outputs[name]?.sha256 !== outputs[name]!.sha256,
  );
  if (differing.length > 0)
    tell({
      type: 'warning',
      text: `gave another ${differing.join(', ')} than the one published by another process: it is not deterministic`,
    });
  return false;
}
