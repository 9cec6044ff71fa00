/**
 * Choices whose options alone say nothing. Candidates are put into closed groups: each member of a group asks once, and the options are the same
 * every time, one of each member. So every option is right exactly once, at its own place: whoever looks only at the options (the longest, the
 * shortest, the most frequent, the first) is right in exactly one of `size` cases.
 */
import type { Rng } from '../../../base/index.ts';

export interface Candidate {
  /** Only candidates of one stratum share a group. */
  readonly stratum: string;
  /** Groups are made of candidates that are close in this, such as the length of their options. */
  readonly likeness: number;
}

/**
 * Disjoint groups of `size` candidates, any two of a group compatible, in random order inside and among each other. Candidates that fit nowhere are
 * left out.
 */
export function closedGroups<T extends Candidate>(
  candidates: readonly T[],
  size: number,
  compatible: (a: T, b: T) => boolean,
  rng: Rng,
): T[][] {
  const open = new Map<string, T[][]>();
  const complete: T[][] = [];
  const ordered = rng.shuffle([...candidates]).sort((a, b) => a.likeness - b.likeness);
  for (const candidate of ordered) {
    const groups = open.get(candidate.stratum) ?? [];
    open.set(candidate.stratum, groups);
    const at = groups.findIndex(group => group.every(other => compatible(candidate, other)));
    const group = groups[at];
    if (group === undefined) groups.push([candidate]);
    else if (group.push(candidate) === size) complete.push(...groups.splice(at, 1));
  }
  return rng.shuffle(complete).map(group => rng.shuffle(group));
}
