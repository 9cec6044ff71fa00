/**
 * Is an index from a file consistent in itself? Checksums catch damage; this catches a file that was made wrong, so that search never
 * reads outside an array. Costs one pass over the terms, the documents and the short lists.
 */
import { InputError, type PackedStrings } from '../base/index.ts';
import type { Bm25Index } from './build.ts';
import { RARE } from './codes.ts';
import {
  CODE_SHIFT,
  DOCUMENT_MASK,
  listStarts,
  type Part,
  type PartPlan,
  planPart,
  WINDOW,
  windowCount,
} from './postings.ts';

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
  if (!isCodebook(index)) fail('the codebook');
  const plans = partEnds.map((to, i) => planPart(df, documents, i === 0 ? 0 : partEnds[i - 1]!, to));
  if (plans.some(plan => plan.to < plan.from)) fail('parts overlap');
  const starts = listStarts(df, documents, plans);
  if (index.starts.length !== df.length || starts.some((start, i) => start !== index.starts[i]))
    fail('lists do not lie where their lengths say');
  index.parts.forEach((part, i) => {
    if (!isSound(part, plans[i]!, index)) fail(`postings of part ${i}`);
  });
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

function isCodebook({ codebook: { tfs, lengths } }: Bm25Index): boolean {
  return tfs.length === lengths.length && tfs.length <= RARE && !tfs.includes(0) && !lengths.includes(0);
}

function isSound(part: Part, plan: PartPlan, { documents, codebook }: Bm25Index): boolean {
  const { shortDocuments, shortCodes, longPostings, windowStarts, rareAt, rareTfs } = part;
  return (
    shortDocuments.length === plan.shortPostings &&
    shortCodes.length === plan.shortPostings &&
    longPostings.length === plan.longPostings &&
    windowStarts.length === plan.longLists * (windowCount(documents) + 1) &&
    rareAt.length === rareTfs.length &&
    !rareTfs.includes(0) &&
    isBelow(shortDocuments, documents) &&
    areCodesSound(part, codebook.tfs.length) &&
    areWindowsSound(part, plan, documents)
  );
}

function isBelow(values: Uint32Array, limit: number): boolean {
  for (let i = 0; i < values.length; i++) if (values[i]! >= limit) return false;
  return true;
}

/** Every code is in the book, or rare and in the list of those. */
function areCodesSound({ shortCodes, longPostings, rareAt }: Part, codes: number): boolean {
  let rare = 0;
  for (let i = 0; i < shortCodes.length; i++) {
    if (shortCodes[i]! >= codes && (shortCodes[i] !== RARE || rareAt[rare++] !== i)) return false;
  }
  for (let i = 0; i < longPostings.length; i++) {
    const code = longPostings[i]! >>> CODE_SHIFT;
    if (code >= codes && (code !== RARE || rareAt[rare++] !== shortCodes.length + i)) return false;
  }
  return rare === rareAt.length;
}

/** Long lists follow each other without gaps, and the last window's documents exist. */
function areWindowsSound({ windowStarts, longPostings }: Part, plan: PartPlan, documents: number): boolean {
  const windows = windowCount(documents);
  const inLastWindow = documents - (windows - 1) * WINDOW;
  let at = 0;
  for (let list = 0, i = 0; list < plan.longLists; list++) {
    if (windowStarts[i] !== at) return false;
    for (let window = 0; window <= windows; window++, i++) {
      if (windowStarts[i]! < at || windowStarts[i]! > longPostings.length) return false;
      at = windowStarts[i]!;
    }
    for (let k = windowStarts[i - 2]!; k < at; k++)
      if ((longPostings[k]! & DOCUMENT_MASK) >= inLastWindow) return false;
  }
  return at === longPostings.length;
}
