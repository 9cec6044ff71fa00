/**
 * Runners and cleaners on one store. A runner pins every artifact before it looks for it; a cleaner holds the `clean` lease while it
 * decides what to remove. Runner: pin, then wait for any live cleaner, then look. Cleaner: take the lease, then read the pins, then
 * remove. Whichever comes second sees the other, so nothing is removed under a runner's hands.
 */
import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { InternalError } from '../base/index.ts';
import { beat, HEARTBEAT_MS } from './heartbeat.ts';
import type { Holder } from './holder.ts';
import { claim, type HeldLease, Lease, liveLeases } from './lease.ts';
import type { Store } from './store.ts';

const RUNNERS = 'runners';
const CLEANER = 'clean';

/** This process as one that works on a store, until `close`. */
export class Runner {
  readonly #store: Store;
  readonly #here: Holder;
  readonly #lease: Lease;
  readonly #pinsPath: string;
  readonly #pins: number;
  readonly #pinned = new Set<string>();
  readonly #heart: NodeJS.Timeout;

  private constructor(store: Store, here: Holder, lease: Lease, pinsPath: string) {
    this.#store = store;
    this.#here = here;
    this.#lease = lease;
    this.#pinsPath = pinsPath;
    this.#pins = openSync(pinsPath, 'a');
    this.#heart = setInterval(() => beat(lease.path), HEARTBEAT_MS).unref();
  }

  /** `run` must be unique: it names the runner's lease. */
  static async register(store: Store, here: Holder, run: string, purpose: string): Promise<Runner> {
    const lease = await claim(store.leaseFolder(`run-${run}`), { ...here, purpose, reads: [] });
    if (!(lease instanceof Lease)) throw new InternalError(`two runs are called ${run}`);
    mkdirSync(store.path(RUNNERS), { recursive: true });
    return new Runner(store, here, lease, pinsPath(store, run));
  }

  /** From now on no cleaner removes this artifact while this process lives. */
  async pin(identity: string): Promise<void> {
    if (this.#pinned.has(identity)) return;
    this.#pinned.add(identity);
    appendFileSync(this.#pins, `${identity}\n`);
    while ((await liveLeases(this.#store.leaseFolder(CLEANER), this.#here)).length > 0) await pause(20);
  }

  async close(): Promise<void> {
    clearInterval(this.#heart);
    closeSync(this.#pins);
    await rm(this.#pinsPath, { force: true });
    await this.#lease.release();
  }
}

function pinsPath(store: Store, run: string): string {
  return store.path(RUNNERS, `${run}.pins`);
}

/** Claims the right to clean. Returns the live cleaner that is in the way, if there is one. */
export function claimCleaning(store: Store, here: Holder): Promise<Lease | HeldLease> {
  return claim(store.leaseFolder(CLEANER), { ...here, purpose: 'clean', reads: [] });
}

export interface LiveRun {
  readonly run: string;
  readonly holder: HeldLease;
}

/** The runs whose processes live. */
export async function liveRuns(store: Store, here: Holder): Promise<LiveRun[]> {
  const keys = (await readdir(store.path('leases')).catch(() => [])).filter(key => key.startsWith('run-'));
  const found = await Promise.all(
    keys.map(async key =>
      (await liveLeases(store.leaseFolder(key), here)).map(holder => ({ run: key.slice(4), holder })),
    ),
  );
  return found.flat();
}

/** The artifacts that live runners have pinned or that live steps read. */
export async function artifactsInUse(store: Store, here: Holder): Promise<Set<string>> {
  const used = new Set<string>();
  for (const { run } of await liveRuns(store, here)) {
    const pins = await readFile(pinsPath(store, run), 'utf8').catch(() => '');
    for (const identity of pins.split('\n')) used.add(identity);
  }
  for (const key of await readdir(store.path('leases')).catch(() => []))
    for (const held of await liveLeases(store.leaseFolder(key), here))
      for (const identity of [key, ...held.reads]) used.add(identity);
  return used;
}

/** Removes what runners that died have left: their pins, and the folders of leases that nobody holds. */
export async function sweepDeadRunners(store: Store, here: Holder): Promise<void> {
  const runs = (await readdir(store.path(RUNNERS)).catch(() => [])).map(name => name.replace('.pins', ''));
  const live = new Set((await liveRuns(store, here)).map(({ run }) => run)); // after that: a lease comes before its pins
  for (const run of runs.filter(run => !live.has(run))) await rm(pinsPath(store, run), { force: true });
  for (const key of await readdir(store.path('leases')).catch(() => []))
    if ((await liveLeases(store.leaseFolder(key), here)).length === 0)
      await rmdir(store.leaseFolder(key)).catch(() => undefined); // a claim has just been put into it
}
