/**
 * Garbage collection. Kept are artifacts that a study refers to, whatever a live process uses, and the scratch of steps that a
 * study has begun and not finished. Everything else in the store can go.
 */
import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, mapConcurrently, StepError } from '../base/index.ts';
import { listFiles } from './digest.ts';
import { type Holder, thisProcess } from './holder.ts';
import { Lease } from './lease.ts';
import { References, studyNames } from './refs.ts';
import { artifactsInUse, claimCleaning, liveRuns, sweepDeadRunners } from './runner.ts';
import type { Store } from './store.ts';

export interface Garbage {
  /** `scratch`, `log`: of work that nobody wants any more; `leftover`: temporary files of processes that died. */
  readonly type: 'artifact' | 'scratch' | 'log' | 'leftover';
  /** Relative to the store. */
  readonly path: string;
  readonly bytes: number;
}

export interface CleanOptions {
  /** Only says what would be removed. */
  readonly dryRun: boolean;
  /** Also removes the scratch of unfinished steps, which then start from their beginning. */
  readonly scratch: boolean;
  /** Studies whose references do not count. */
  readonly without?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface CleanReport {
  readonly removed: readonly Garbage[];
  readonly bytes: number;
  /** Bytes of unfinished steps' scratch that was kept. */
  readonly keptScratchBytes: number;
}

/** Removes what nobody needs. Throws a `StepError` if another process is cleaning. */
export async function cleanStore(store: Store, options: CleanOptions): Promise<CleanReport> {
  if (!(await store.exists())) return { removed: [], bytes: 0, keptScratchBytes: 0 };
  const here = await thisProcess();
  const lease = await claimCleaning(store, here);
  if (!(lease instanceof Lease))
    throw new StepError('clean', `process ${lease.pid} on ${lease.machine} is cleaning this store`);
  let report: CleanReport;
  try {
    report = await collect(store, here, options);
  } finally {
    await lease.release();
  }
  if (!options.dryRun) await emptyTrash(store);
  return report;
}

/** What was moved here is nobody's; deleting it takes its time, and needs no lease. */
function emptyTrash(store: Store): Promise<void> {
  return rm(store.path('trash'), { recursive: true, force: true });
}

/** While the lease is held: no runner looks at an artifact between our look at the pins and the removal. */
async function collect(store: Store, here: Holder, options: CleanOptions): Promise<CleanReport> {
  const used = await artifactsInUse(store, here);
  const stale = await leftovers(store, here, options.now);
  const { made, pending } = await referredTo(store, options.without ?? []);
  const garbage: Garbage[] = [];
  let keptScratchBytes = 0;
  const add = async (type: Garbage['type'], ...parts: readonly string[]) => {
    const path = store.path(...parts);
    const bytes = await bytesOf(path);
    if (options.dryRun || (await store.discard(path))) garbage.push({ type, path: join(...parts), bytes });
  };
  for (const identity of await namesIn(store, 'artifacts'))
    if (!used.has(identity) && !made.has(identity)) await add('artifact', 'artifacts', identity);
  for (const identity of await namesIn(store, 'scratch')) {
    if (used.has(identity)) continue;
    if (pending.has(identity) && !options.scratch)
      keptScratchBytes += await bytesOf(store.scratchFolder(identity));
    else await add('scratch', 'scratch', identity);
  }
  for (const identity of await namesIn(store, 'jobs'))
    if (!used.has(identity) && !made.has(identity) && !pending.has(identity))
      await add('log', 'jobs', identity);
  for (const parts of stale) await add('leftover', ...parts);
  await sweepDeadRunners(store, here);
  return { removed: garbage, bytes: garbage.reduce((sum, { bytes }) => sum + bytes, 0), keptScratchBytes };
}

async function referredTo(
  store: Store,
  without: readonly string[],
): Promise<{ made: Set<string>; pending: Set<string> }> {
  const [made, pending] = [new Set<string>(), new Set<string>()];
  for (const study of (await studyNames(store)).filter(name => !without.includes(name)))
    for (const record of (await References.load(store, study)).all()) {
      if (record.done) made.add(record.done.identity);
      if (record.pending) pending.add(record.pending.identity);
    }
  return { made, pending };
}

/** How old a temporary file must be before it cannot belong to a process that is about to rename it. */
const SETTLED_MS = 3_600_000;

/** What died processes left in the way of files: trash, and temporary names. */
async function leftovers(store: Store, here: Holder, now: number): Promise<string[][]> {
  const found: string[][] = [];
  for (const name of await namesIn(store, 'trash')) found.push(['trash', name]);
  const quiet = (await liveRuns(store, here)).length === 0;
  for (const folder of ['', 'jobs', 'studies'])
    for (const name of await temporaryFiles(store.path(folder), folder !== ''))
      if (quiet || (await isSettled(store.path(folder, name), now))) found.push([folder, name]);
  return found;
}

async function temporaryFiles(folder: string, deep: boolean): Promise<string[]> {
  const names = deep ? await listFiles(folder, 'follow').catch(() => []) : await readdir(folder);
  return names.filter(name => name.endsWith('.tmp'));
}

/** Old by the file system's clock, or gone. */
async function isSettled(path: string, now: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && now - found.mtimeMs > SETTLED_MS;
}

async function namesIn(store: Store, folder: string): Promise<string[]> {
  return (await readdir(store.path(folder)).catch(() => [])).sort();
}

/** Bytes of all files in a file or folder, links not followed; what goes away meanwhile counts nothing. */
async function bytesOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found?.size ?? 0;
  const names = await readdir(path).catch(() => []);
  const sizes = await mapConcurrently(names, 8, name => bytesOf(join(path, name)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Drops a study's references, so that its artifacts become garbage. Throws where it runs or is not there. */
export async function forgetStudy(store: Store, study: string): Promise<void> {
  const live = await liveRuns(store, await thisProcess());
  const busy = live.find(({ holder }) => holder.purpose === study);
  if (busy) throw new StepError(study, `process ${busy.holder.pid} on ${busy.holder.machine} is running it`);
  if (!(await store.discard(store.studyFolder(study))))
    throw new InputError(study, `no study of that name in ${store.root}`);
  await emptyTrash(store);
}
