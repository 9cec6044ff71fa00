/**
 * Measures as values with names. A measure is read from the spelling of any tool (`nDCG@10`, `ndcg_cut_10`, `ndcg_at_10`, `map`, `MRR@10`),
 * and printed in one (ir-measures'): `nDCG@10`, `AP`, `RR@10`.
 */
import { InputError, Problems } from '../base/index.ts';
import { nearest } from './suggest.ts';

export type MeasureKind = 'nDCG' | 'R' | 'AP' | 'RR' | 'P' | 'Judged' | 'Success';

export interface Measure {
  readonly kind: MeasureKind;
  /** How many of the first ranks count; Infinity: all. */
  readonly cutoff: number;
  /** The one printed name: equal names are equal measures. */
  readonly name: string;
}

interface Spelling {
  readonly aliases: readonly string[];
  /** Is it defined without a cut-off? */
  readonly whole: boolean;
}

/** All names in lower case with `_` between words. */
const SPELLINGS: Readonly<Record<MeasureKind, Spelling>> = {
  nDCG: { aliases: ['ndcg'], whole: true },
  R: { aliases: ['recall', 'r'], whole: false },
  AP: { aliases: ['ap', 'map'], whole: true },
  RR: { aliases: ['rr', 'mrr', 'recip_rank'], whole: true },
  P: { aliases: ['p', 'precision'], whole: false },
  Judged: { aliases: ['judged'], whole: false },
  Success: { aliases: ['success', 'hit', 'hit_rate', 'accuracy'], whole: false },
};

const KIND_OF: ReadonlyMap<string, MeasureKind> = new Map(
  Object.entries(SPELLINGS).flatMap(([kind, { aliases }]) =>
    aliases.map(alias => [alias, kind as MeasureKind] as const),
  ),
);

/** What is reported when nobody says what to report. */
export const DEFAULT_MEASURES: readonly Measure[] = [
  measure('nDCG', 10),
  measure('R', 100),
  measure('AP'),
  measure('RR', 10),
  measure('P', 10),
  measure('Judged', 10),
];

export function measure(kind: MeasureKind, cutoff = Number.POSITIVE_INFINITY): Measure {
  return { kind, cutoff, name: Number.isFinite(cutoff) ? `${kind}@${cutoff}` : kind };
}

/** Reads measures in any spelling, without repetitions. Throws one `InputError` that names every one it does not know. */
export function parseMeasures(texts: readonly string[]): Measure[] {
  const problems = new Problems();
  const found = new Map<string, Measure>();
  for (const text of texts) {
    const parsed = parseMeasure(text);
    if (typeof parsed === 'string') problems.add(`measure '${text}'`, parsed);
    else found.set(parsed.name, parsed);
  }
  problems.throwIfAny();
  if (found.size === 0) throw new InputError('measures', 'expected at least one, such as nDCG@10');
  return [...found.values()];
}

/** The measure, or what is wrong with its name. */
function parseMeasure(text: string): Measure | string {
  const words = text
    .trim()
    .toLowerCase()
    .split(/[\s_.@-]+/);
  const [, glued, digits] = /^(.*?)(\d+)$/.exec(words.join('_')) ?? [undefined, words.join('_'), undefined];
  const name = glued!.replace(/_?(at|cut)?_?$/, '');
  const kind = KIND_OF.get(name);
  if (kind === undefined) return `unknown; ${suggestion(name, digits)}`;
  if (digits === undefined) {
    return SPELLINGS[kind].whole ? measure(kind) : `needs a cut-off, as in ${kind}@10`;
  }
  const cutoff = Number(digits);
  return cutoff >= 1 && Number.isSafeInteger(cutoff)
    ? measure(kind, cutoff)
    : 'the cut-off must be at least 1';
}

function suggestion(name: string, digits: string | undefined): string {
  const alias = nearest(name, [...KIND_OF.keys()]);
  if (alias === undefined)
    return `known: ${Object.keys(SPELLINGS).join(', ')}, most with a cut-off as in nDCG@10`;
  return `did you mean ${measure(KIND_OF.get(alias)!, digits === undefined ? 10 : Math.max(1, Number(digits))).name}?`;
}
