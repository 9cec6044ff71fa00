/** The posting list of one term as the search loops want it, whichever way the index keeps it. */
import { RARE } from './codes.ts';
import { CODE_SHIFT, DOCUMENT_MASK, longListFrom, type Part, WINDOW_BITS, windowCount } from './postings.ts';
import { type Prepared, relativeLength } from './prepare.ts';
import { presentPart } from './scoring.ts';

/** The packed postings of window w are those from `starts[row + w]` up to, and without, `starts[row + w + 1]`. */
export interface TermList {
  readonly postings: Uint32Array;
  readonly starts: Uint32Array;
  readonly row: number;
  /** The largest part of any posting, window by window and in all. */
  readonly bounds: Float64Array;
  bound: number;
  /** Postings. */
  count: number;
  /** A lower bound of the 2^i-th largest part, once it was asked for; else undefined. */
  readonly tops: (number | undefined)[];
  /** The part of the index, and how far postings are numbered on there. */
  part: Part;
  shift: number;
  /** The term's codes spread over all documents, if it is one of the commonest; else empty. */
  readonly spread: Uint16Array;
}

const NONE = new Uint16Array();

/** Hands out lists. Long ones are kept, since finding their bounds takes a pass over them; short ones are unpacked anew each time. */
export class Lists {
  readonly #prepared: Prepared;
  readonly #windows: number;
  readonly #longFrom: number;
  readonly #kept = new Map<number, TermList>();
  readonly #scratch: TermList[] = [];
  #lent = 0;
  /** The codes, the largest part first, and room to count each. */
  readonly #codesByPart: Uint16Array;
  readonly #counts = new Uint32Array(RARE + 1);

  constructor(prepared: Prepared) {
    this.#prepared = prepared;
    this.#windows = windowCount(prepared.index.documents);
    this.#longFrom = longListFrom(prepared.index.documents);
    const { parts, index } = prepared;
    this.#codesByPart = Uint16Array.from(index.codebook.tfs.keys()).sort((a, b) => parts[b]! - parts[a]!);
  }

  /** Takes back the short lists that were handed out: call it before each query. */
  recall(): void {
    this.#lent = 0;
  }

  of(term: number): TermList {
    if (this.#prepared.index.df[term]! < this.#longFrom) return this.#short(term);
    let list = this.#kept.get(term);
    if (list === undefined) {
      list = this.#long(term);
      this.#kept.set(term, list);
    }
    return list;
  }

  #partOf(term: number): Part {
    const { partEnds, parts } = this.#prepared.index;
    let number = 0;
    while (term >= partEnds[number]!) number++;
    return parts[number]!;
  }

  #long(term: number): TermList {
    const { index, spread } = this.#prepared;
    const part = this.#partOf(term);
    const list: TermList = {
      postings: part.longPostings,
      starts: part.windowStarts,
      row: index.starts[term]! * (this.#windows + 1),
      bounds: new Float64Array(this.#windows),
      bound: 0,
      part,
      shift: part.shortDocuments.length,
      count: index.df[term]!,
      tops: [],
      spread: spread.get(term) ?? NONE,
    };
    this.#findBounds(list);
    return list;
  }

  #short(term: number): TermList {
    const { index } = this.#prepared;
    const part = this.#partOf(term);
    const place = this.#lent++;
    this.#scratch[place] ??= this.#newScratch(part);
    const list = this.#scratch[place];
    const { postings, starts } = list;
    const first = index.starts[term]!;
    const count = index.df[term]!;
    let window = 0;
    for (let i = 0; i < count; i++) {
      const document = part.shortDocuments[first + i]!;
      while (window <= document >>> WINDOW_BITS) starts[window++] = i;
      postings[i] = (part.shortCodes[first + i]! << CODE_SHIFT) | (document & DOCUMENT_MASK);
    }
    while (window <= this.#windows) starts[window++] = count;
    list.part = part;
    list.shift = first;
    list.count = count;
    list.tops.length = 0;
    this.#findBounds(list);
    return list;
  }

  #newScratch(part: Part): TermList {
    return {
      postings: new Uint32Array(this.#longFrom),
      starts: new Uint32Array(this.#windows + 1),
      row: 0,
      bounds: new Float64Array(this.#windows),
      bound: 0,
      part,
      shift: 0,
      count: 0,
      tops: [],
      spread: NONE,
    };
  }

  #findBounds(list: TermList): void {
    const { postings, starts, row, bounds } = list;
    const { parts } = this.#prepared;
    list.bound = 0;
    for (let window = 0; window < this.#windows; window++) {
      const [from, to] = [starts[row + window]!, starts[row + window + 1]!];
      let most = 0;
      for (let i = from; i < to; i++) {
        const part = parts[postings[i]! >>> CODE_SHIFT]!;
        if (part > most) most = part;
      }
      for (let i = firstRare(list, from); i < to; i = nextRare(list, i))
        most = Math.max(most, rarePart(this.#prepared, list, i, window));
      bounds[window] = most;
      if (most > list.bound) list.bound = most;
    }
  }

  /** A part that at least 2^`power` postings of the list reach; 0 where there are fewer. */
  topOf(list: TermList, power: number): number {
    if (list.count < 2 ** power) return 0;
    list.tops[power] ??= this.#findTop(list, 2 ** power);
    return list.tops[power];
  }

  /** Counts the codes of a list and goes through them from the best; postings with rare codes are left out, which only lowers the result. */
  #findTop({ postings, starts, row }: TermList, wanted: number): number {
    const counts = this.#counts.fill(0);
    for (let i = starts[row]!; i < starts[row + this.#windows]!; i++) counts[postings[i]! >>> CODE_SHIFT]!++;
    let seen = 0;
    for (const code of this.#codesByPart) {
      seen += counts[code]!;
      if (seen >= wanted) return this.#prepared.parts[code]!;
    }
    return 0;
  }
}

/** The first posting from `i` on whose code is `RARE`; Infinity if the list's part of the index has none there. */
export function firstRare({ part: { rareAt }, shift }: TermList, i: number): number {
  return rareAt.length === 0
    ? Number.POSITIVE_INFINITY
    : (rareAt[placeOf(rareAt, shift + i)] ?? Number.POSITIVE_INFINITY) - shift;
}

/** The next such posting after `i`, which is one. */
export function nextRare(list: TermList, i: number): number {
  return firstRare(list, i + 1);
}

/** The place of the first value that is at least `least` among ascending values. */
function placeOf(values: Uint32Array, least: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The part of posting i, of a window, whose code is `RARE`. */
export function rarePart(prepared: Prepared, list: TermList, i: number, window: number): number {
  const { rareAt, rareTfs } = list.part;
  const tf = rareTfs[placeOf(rareAt, list.shift + i)]!;
  const document = (window << WINDOW_BITS) + (list.postings[i]! & DOCUMENT_MASK);
  const { index, parameters } = prepared;
  return presentPart(parameters, tf, relativeLength(index, parameters, index.lengths[document]!));
}

/** The part of a list in a document of a window: 0 if the term is absent. */
export function partIn(prepared: Prepared, list: TermList, window: number, document: number): number {
  const { postings, starts, row } = list;
  const end = starts[row + window + 1]!;
  let low = starts[row + window]!;
  for (let high = end; low < high; ) {
    const middle = (low + high) >>> 1;
    if ((postings[middle]! & DOCUMENT_MASK) < document) low = middle + 1;
    else high = middle;
  }
  if (low === end || (postings[low]! & DOCUMENT_MASK) !== document) return 0;
  const code = postings[low]! >>> CODE_SHIFT;
  return code === RARE ? rarePart(prepared, list, low, window) : prepared.parts[code]!;
}
