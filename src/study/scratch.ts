/** Work in progress of one identity: a private folder that survives crashes and passes from one attempt to the next. */
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from './store.ts';

export interface Scratch {
  /** The step's own, for checkpoints. */
  readonly work: string;
  /** Where outputs grow; empty at the beginning of every attempt. */
  readonly out: string;
  /** Was there work of an earlier attempt? */
  readonly resumed: boolean;
}

/**
 * Takes over what an earlier attempt left, under the name of the new lease: a process that lost its lease without noticing
 * finds its folder gone and cannot add to it.
 */
export async function adoptScratch(store: Store, identity: string, lease: string): Promise<Scratch> {
  const folder = store.scratchFolder(identity);
  const own = join(folder, lease);
  await mkdir(folder, { recursive: true });
  const [newest, ...older] = await byAge(folder);
  for (const name of older) await rm(join(folder, name), { recursive: true, force: true });
  if (newest !== undefined) await rename(join(folder, newest), own);
  const [work, out] = [join(own, 'work'), join(own, 'out')];
  await rm(out, { recursive: true, force: true });
  for (const path of [work, out]) await mkdir(path, { recursive: true });
  return { work, out, resumed: (await readdir(work)).length > 0 };
}

async function byAge(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const ages = await Promise.all(names.map(async name => (await stat(join(folder, name))).mtimeMs));
  const order = names.map((_, i) => i).sort((a, b) => ages[b]! - ages[a]!);
  return order.map(i => names[i]!);
}
