/**
 * Leases: at most one live process holds a key. A claim is a file of the claimant's own in the key's folder; whoever then
 * sees another live claim withdraws. Of two simultaneous claimants the one that looks last sees the other, so both cannot
 * stay. Files of dead processes are removed by whoever finds them, and since no name is used twice nothing can be removed by mistake.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { hasCode } from '../base/index.ts';
import { type Holder, holderSchema, isAlive } from './holder.ts';

const claimSchema = holderSchema.extend({
  /** What it is for, in words. */
  purpose: z.string(),
  /** Identities of artifacts that must stay while this lease lives. */
  reads: z.array(z.string()),
});

export type Claim = z.infer<typeof claimSchema>;

/** A lease as another process sees it. */
export interface HeldLease extends Claim {
  readonly id: string;
}

export class Lease {
  /** Unique among all leases ever claimed. */
  readonly id: string;
  readonly path: string;

  constructor(id: string, path: string) {
    this.id = id;
    this.path = path;
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true });
    await removeEmpty(dirname(this.path));
  }
}

/** What the filesystem lets us do with a folder that others also use. */
async function removeEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(() => undefined); // somebody else's claim is in it, or it is gone
}

/** Simultaneous claimants withdraw together; after this many rounds each reports the other as holder. */
const ROUNDS = 5;

/** Claims a key (a folder of its own). Returns the lease, or the live lease that is in the way. */
export async function claim(folder: string, wanted: Claim): Promise<Lease | HeldLease> {
  for (let round = 1; ; round++) {
    const lease = await announce(folder, wanted);
    const other = (await liveLeases(folder, wanted)).find(held => held.id !== lease.id);
    if (!other) return lease;
    await lease.release();
    if (round === ROUNDS) return other;
    await pause(1 + Math.random() * 10 * round);
  }
}

/** More than any number of simultaneous releases; a folder that cannot be made for another reason must not hang us. */
const MAX_ROUNDS = 100;

/** Puts a claim into the folder: complete under its name, or not there. */
async function announce(folder: string, wanted: Claim): Promise<Lease> {
  const id = randomBytes(8).toString('hex');
  const path = join(folder, `${id}.json`);
  for (let round = 0; ; round++) {
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(`${path}.tmp`, JSON.stringify(wanted), { flag: 'wx' });
      await rename(`${path}.tmp`, path);
      return new Lease(id, path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT') || round === MAX_ROUNDS) throw error; // a releasing process removed the empty folder
    }
  }
}

/** The live leases of a key. Those of dead processes are cleared away. */
export async function liveLeases(folder: string, here: Holder): Promise<HeldLease[]> {
  const live: HeldLease[] = [];
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter(name => name.endsWith('.json'))) {
    const path = join(folder, name);
    const held = await readClaim(path);
    if (held === undefined) continue;
    const ageMs = await ageOf(path);
    if (ageMs === undefined) continue;
    if (held !== 'damaged' && isAlive(held, here, ageMs)) live.push({ ...held, id: name.slice(0, -5) });
    else await rm(path, { force: true });
  }
  return live;
}

/** A claim is renamed into place whole, so one that cannot be read is damaged; one that has gone meanwhile is undefined. */
async function readClaim(path: string): Promise<Claim | 'damaged' | undefined> {
  try {
    return claimSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    return hasCode(error, 'ENOENT') ? undefined : 'damaged';
  }
}

/** Time since the last heartbeat by the file system's own clock, which may be another machine's; undefined if the lease has gone. */
async function ageOf(path: string): Promise<number | undefined> {
  const probe = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(probe, '');
    const [now, beat] = await Promise.all([stat(probe), stat(path)]);
    return now.mtimeMs - beat.mtimeMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  } finally {
    await rm(probe, { force: true });
  }
}
