/** Which examples stand before a question. */
import { Rng } from '../base/index.ts';
import type { IclRecord } from './records.ts';

/** Records that examples are drawn from, in the order of the file. */
export type ShotSampler = (pool: readonly IclRecord[], index: number) => readonly IclRecord[];

/**
 * `shots` different records of the pool, never the question itself, in random order; all others where there are fewer. A question's
 * examples depend on seed, name of the task and its place alone, so that a limit on the items changes none.
 */
export function seededShots(seed: number, name: string, shots: number): ShotSampler {
  return (pool, index) => {
    const wanted = Math.min(shots, pool.length - 1);
    const rng = Rng.from(seed, 'shots', name, pool[index]!.category, index);
    const chosen = new Set<number>();
    while (chosen.size < wanted) {
      const drawn = rng.int(pool.length - 1);
      chosen.add(drawn < index ? drawn : drawn + 1);
    }
    return [...chosen].map(i => pool[i]!);
  };
}

/** Records of each category in the order of the file, categories in order of appearance. A task without categories is one of them. */
export function byCategory(records: readonly IclRecord[]): readonly (readonly IclRecord[])[] {
  const groups = new Map<string, IclRecord[]>();
  for (const record of records) {
    const group = groups.get(record.category);
    if (group) group.push(record);
    else groups.set(record.category, [record]);
  }
  return [...groups.values()];
}
