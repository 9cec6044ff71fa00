/** Which items of a task are evaluated, and from which records each takes its examples. */
import { InputError, Rng } from '../base/index.ts';
import { type FewShots, fewShots } from './few-shot.ts';
import type { IclRecord } from './records.ts';
import { DEFAULT_PROMPT, type IclTask, type PromptStyle } from './settings.ts';

/** Records that examples are drawn from together: the whole task, or one category. */
export interface Pool {
  /** Name of the category; undefined where the task has none. */
  readonly category: string | undefined;
  /** Places in the task of the records, ascending. */
  readonly places: readonly number[];
  /** Places in the task of an item's examples. `member` is an index into `places`. */
  readonly examples: (member: number) => readonly number[];
  /** Indices into `places` of the items to evaluate, ascending. */
  readonly selected: readonly number[];
}

/** At most `limit` items of a task, drawn evenly from its categories by a seed: a file's first records may all be of one kind. */
export function poolsOf(task: IclTask, style: PromptStyle, limit: number | undefined): Pool[] {
  const groups = categoriesOf(task);
  const quotas = shareOut(
    limit ?? Number.POSITIVE_INFINITY,
    [...groups.values()].map(({ length }) => length),
  );
  if (quotas.includes(0))
    throw new InputError(
      task.label,
      `a limit of ${limit} items leaves none for some of its ${groups.size} categories: raise it`,
    );
  const seed = task.prompt?.fewshotSeed ?? DEFAULT_PROMPT.fewshotSeed;
  return [...groups].map(([category, places], g) => {
    const name = category === undefined ? task.label : `${task.label}/${category}`;
    const chosen: FewShots = fewShots(places.length, { style, shots: task.shots, seed, name });
    const order = Rng.from(seed, 'limit', name).permutation(places.length);
    return {
      category,
      places,
      examples: member => chosen(member).map(other => places[other]!),
      selected: [...order.subarray(0, quotas[g]!)].sort((a, b) => a - b),
    };
  });
}

/** Places of the records by category, in the order categories first appear. */
function categoriesOf(task: IclTask): Map<string | undefined, number[]> {
  const groups = new Map<string | undefined, number[]>();
  for (const [place, record] of (task.records as readonly IclRecord[]).entries()) {
    const category = task.categories ? record.category : undefined;
    if (task.categories && category === undefined)
      throw new InputError(
        `${task.label} record ${place + 1}`,
        'has no category, and the task has categories',
      );
    const group = groups.get(category);
    if (group) group.push(place);
    else groups.set(category, [place]);
  }
  if (groups.size === 0) throw new InputError(task.label, 'has no record');
  return groups;
}

/** Shares `total` out among groups of these sizes as evenly as the sizes allow; earlier groups get what is left over. */
export function shareOut(total: number, sizes: readonly number[]): number[] {
  const shares = sizes.map(() => 0);
  let open = sizes.map((_, i) => i);
  let left = Math.min(
    total,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  while (left > 0) {
    const each = Math.max(1, Math.floor(left / open.length));
    for (const i of open) {
      const given = Math.min(each, sizes[i]! - shares[i]!, left);
      shares[i] = shares[i]! + given;
      left -= given;
    }
    open = open.filter(i => shares[i]! < sizes[i]!);
  }
  return shares;
}
