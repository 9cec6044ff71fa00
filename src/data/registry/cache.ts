/** Where fetched collections lie. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment } from '../../base/index.ts';

/**
 * The cache folder: what the caller says, else `ISOFLOP_CACHE`, else `HF_HOME/isoflop`, else `XDG_CACHE_HOME/isoflop`, else `~/.cache/isoflop`.
 */
export function cacheFolder(environment: Environment, said?: string): string {
  if (said) return resolve(said);
  if (environment['ISOFLOP_CACHE']) return resolve(environment['ISOFLOP_CACHE']);
  const home = environment['HF_HOME'] || environment['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return resolve(home, 'isoflop');
}

/** Where a collection is published, whole or not at all. */
export function datasetFolder(cache: string, name: string): string {
  return join(cache, 'datasets', ...name.split('/'));
}

/** Must nothing be fetched? `HF_HUB_OFFLINE` says so to other tools already. */
export function isOffline(environment: Environment, said?: boolean): boolean {
  return said === true || /^(1|true|yes|on)$/i.test(environment['HF_HUB_OFFLINE'] ?? '');
}
