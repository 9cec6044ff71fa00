/** Overlap for people. */
import { textTable } from '../../base/index.ts';
import type { Overlap } from './overlap.ts';

/** Ids that are named; the file has all. */
const NAMED = 5;

export function overlapText({ words, share, sampled, sets }: Overlap): string {
  const rows = sets.map(({ name, texts, judged, touched, standing }) => [
    name,
    ...[texts, judged, touched, standing.length].map(String),
    standing
      .slice(0, NAMED)
      .map(({ id }) => id)
      .join(', ') + (standing.length > NAMED ? ', ...' : ''),
  ]);
  const sample = sampled < 1 ? ` (1 in ${1 / sampled} of them looked at)` : '';
  return [
    textTable(['test set', 'texts', 'judged', 'share some', 'stand in it', 'which'], rows),
    `A text stands in the corpus if at least ${Number((100 * share).toPrecision(4))}% of its word ${words}-grams${sample} do, anywhere; texts of fewer words are not judged.`,
  ].join('\n');
}
