/** How a process shows that it lives. Imports nothing, since every step starts a thread for it. */
import { closeSync, existsSync, openSync, writeSync } from 'node:fs';

export const HEARTBEAT_MS = 10_000;

/**
 * One heartbeat: rewrites the lease's first byte with itself, so that the file system stamps it with its own clock.
 * Returns false if the lease has gone: others took its holder for dead.
 */
export function beat(leasePath: string): boolean {
  try {
    const file = openSync(leasePath, 'r+');
    try {
      writeSync(file, '{', 0);
    } finally {
      closeSync(file);
    }
    return true;
  } catch {
    return existsSync(leasePath); // a network file system may hiccup; missing beats will tell if it lasts
  }
}
