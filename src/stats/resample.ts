/** Resampling whole groups of rows, so that rows that belong together (the checkpoints of one model) stay together. */
import type { Rng } from '../base/index.ts';

/** Row numbers by label, in the order in which the labels first appear. */
export function groupRows(labels: readonly string[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>();
  labels.forEach((label, row) => {
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [row]);
    else group.push(row);
  });
  return [...groups.values()];
}

/** One bootstrap sample: as many groups as there are, drawn with replacement, given as row numbers. */
export function resampleGroups(groups: readonly (readonly number[])[], rng: Rng): number[] {
  const rows: number[] = [];
  for (let i = 0; i < groups.length; i++) rows.push(...groups[rng.int(groups.length)]!);
  return rows;
}
