/**
 * Is an index from a file consistent in itself? Checksums catch damage; this catches a file that was made wrong, so that search never
 * reads outside an array. Costs one pass over the terms, the documents and the short lists.
 */
import { InputError } from '../base/index.ts';
import { LARGE_TF } from './bags.ts';
import type { Bm25Index } from './build.ts';
import { listStarts, longListFrom, type Part, type PartPlan, WINDOW, windowCount } from './postings.ts';
import type { PackedStrings } from './strings.ts';

/** Throws an `InputError` at the first inconsistency. */
export function checkIndex(path: string, index: Bm25Index): void {
  const fail = (what: string): never => {
    throw new InputError(path, `inconsistent index: ${what}; build it again`);
  };
  const { documents, df, partEnds } = index;
  if (index.lengths.length !== documents || index.idRanks.length !== documents)
    fail('not one length and rank a document');
  if (!isPacked(index.ids, documents)) fail('document ids do not fit their table');
  if (!isPacked(index.terms, df.length)) fail('terms do not fit their table');
  if (!isPermutation(index.idRanks)) fail('id ranks are no permutation');
  if (index.lengths.reduce((sum, length) => sum + length, 0) !== index.tokens)
    fail('lengths do not add up to the tokens');
  if (df.some(count => count < 1 || count > documents)) fail('a document frequency is out of range');
  if (partEnds.at(-1) !== df.length) fail('parts do not cover the terms');
  const plans = partEnds.map((to, i) => planOf(i === 0 ? 0 : partEnds[i - 1]!, to, df, documents));
  if (plans.some(plan => plan.to < plan.from)) fail('parts overlap');
  const starts = listStarts(df, documents, plans);
  if (index.starts.length !== df.length || starts.some((start, i) => start !== index.starts[i]))
    fail('lists do not lie where their lengths say');
  index.parts.forEach((part, i) => {
    if (!isSound(part, plans[i]!, documents)) fail(`postings of part ${i}`);
  });
}

function planOf(from: number, to: number, df: Uint32Array, documents: number): PartPlan {
  const plan = { from, to, shortPostings: 0, longPostings: 0, longLists: 0 };
  for (let term = from; term < to; term++) {
    if (df[term]! >= longListFrom(documents)) {
      plan.longPostings += df[term]!;
      plan.longLists++;
    } else plan.shortPostings += df[term]!;
  }
  return plan;
}

function isPacked({ bytes, ends }: PackedStrings, count: number): boolean {
  if (ends.length !== count || (ends.at(-1) ?? 0) !== bytes.length) return false;
  for (let i = 1; i < ends.length; i++) if (ends[i]! < ends[i - 1]!) return false;
  return true;
}

function isPermutation(ranks: Uint32Array): boolean {
  const seen = new Uint8Array(ranks.length);
  for (const rank of ranks) {
    if (rank >= seen.length || seen[rank] === 1) return false;
    seen[rank] = 1;
  }
  return true;
}

function isSound(part: Part, plan: PartPlan, documents: number): boolean {
  const width = windowCount(documents) + 1;
  const { shortDocs, longDocs, tfs, windowStarts, largeAt, largeTfs } = part;
  if (shortDocs.length !== plan.shortPostings || longDocs.length !== plan.longPostings) return false;
  if (tfs.length !== plan.shortPostings + plan.longPostings || tfs.includes(0)) return false;
  if (windowStarts.length !== plan.longLists * width || largeAt.length !== largeTfs.length) return false;
  return (
    areLargeSound(tfs, largeAt, largeTfs) &&
    isBelow(shortDocs, documents) &&
    areWindowsSound(part, plan, documents, width)
  );
}

/** Exactly the postings marked 255 have a large frequency. (`indexOf` runs at the speed of memory.) */
function areLargeSound(tfs: Uint8Array, largeAt: Uint32Array, largeTfs: Uint32Array): boolean {
  let at = tfs.indexOf(LARGE_TF);
  for (let i = 0; i < largeAt.length; i++) {
    if (largeAt[i] !== at || largeTfs[i]! < LARGE_TF) return false;
    at = tfs.indexOf(LARGE_TF, at + 1);
  }
  return at === -1;
}

function isBelow(values: Uint32Array | Uint16Array, limit: number): boolean {
  for (let i = 0; i < values.length; i++) if (values[i]! >= limit) return false;
  return true;
}

/** Long lists follow each other without gaps, and the last window's documents exist. */
function areWindowsSound(part: Part, plan: PartPlan, documents: number, width: number): boolean {
  const { windowStarts, longDocs } = part;
  const inLastWindow = documents - (width - 2) * WINDOW;
  let at = 0;
  for (let row = 0; row < plan.longLists; row++) {
    for (let i = row * width; i < (row + 1) * width; i++) {
      if (windowStarts[i]! < at || windowStarts[i]! > longDocs.length) return false;
      if (i === row * width && windowStarts[i] !== at) return false;
      at = windowStarts[i]!;
    }
    const last = longDocs.subarray(windowStarts[(row + 1) * width - 2], at);
    if (!isBelow(last, inLastWindow)) return false;
  }
  return at === longDocs.length;
}
