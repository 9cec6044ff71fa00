/** Who holds something in a store, and whether that process still lives: the question behind every lease. */
import { readFileSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { z } from 'zod';

export const holderSchema = z.object({
  machine: z.string(),
  /** Tells apart reboots and containers, whose process numbers mean different processes. Absent where the system does not say. */
  space: z.string().optional(),
  pid: z.number().int().positive(),
  /** When the process began, in the system's own count: tells a process from a later one of the same number. */
  began: z.string().optional(),
});

export type Holder = z.infer<typeof holderSchema>;

/** A process elsewhere that has not beaten for this long is taken for dead. */
export const STALE_MS = 60_000;

export async function thisProcess(): Promise<Holder> {
  const [boot, namespace] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined),
    readlink('/proc/self/ns/pid').catch(() => undefined),
  ]);
  const began = beginningOf(process.pid);
  return {
    machine: hostname(),
    ...(boot && namespace && { space: `${boot.trim()} ${namespace}` }),
    pid: process.pid,
    ...(typeof began === 'string' && { began }),
  };
}

/**
 * Does the process that `holder` names still live, seen from `here`? Where process numbers can be compared, the system knows.
 * Elsewhere a heartbeat decides: `ageMs` is the time since the last one, by the clock of the file system.
 */
export function isAlive(holder: Holder, here: Holder, ageMs: number): boolean {
  if (holder.machine !== here.machine || holder.space !== here.space) return ageMs < STALE_MS;
  const began = beginningOf(holder.pid);
  if (began === 'gone') return false;
  if (began !== undefined && holder.began !== undefined) return began === holder.began;
  return ageMs < STALE_MS;
}

/** When a process of this machine began; `gone` if there is none; undefined where the system does not say. */
function beginningOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' '); // from field 3, the state, on; names may hold spaces
    return fields[0] === 'Z' || fields[0] === 'X' ? 'gone' : fields[19]; // field 22: start time in ticks since boot
  } catch {
    return process.platform === 'linux' || !exists(pid) ? 'gone' : undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
