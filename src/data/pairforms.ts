/** The forms of a training record, one schema each. All that is wrong with a record is reported, and such a record yields no pair. */
import { z } from 'zod';
import { docText, type JsonObject, wellFormed } from '../collections/index.ts';
import type { PairRecord } from './pairs.ts';

/** The text of a document named by id, or undefined if the caller does not have it. */
export type DocumentText = (id: string) => string | undefined;

/** What to do with a fault of the record. */
type Report = (message: string) => void;

const text = z.string().transform(wellFormed).refine(isNotBlank, 'is empty');
const id = z.union([z.string().min(1, 'is empty'), z.int()]).transform(String);
/** Several texts, or one alone. */
const texts = z.union([z.array(text), text.transform(one => [one])]);
const positives = texts.refine(list => list.length > 0, 'expected at least one positive');

function isNotBlank(value: string): boolean {
  return value.trim() !== '';
}

/** Ours, FlagEmbedding's, and weak pairs (whose `pos` is one text). */
const flagForm = z.object({
  query_id: id.nullish(),
  query: text,
  pos: positives,
  pos_ids: z.array(id).nullish(),
  pos_scores: z.array(z.number().nullable()).nullish(),
  neg: texts.nullish().transform(list => list ?? []),
  neg_ids: z.array(id).nullish(),
  neg_scores: z.array(z.number().nullable()).nullish(),
  neg_ranks: z.array(z.int().positive().nullable()).nullish(),
  prompt: z.string().nullish(),
});

const passage = z
  .object({ docid: id.nullish(), title: z.string().nullish(), text: z.string() })
  .transform(({ docid, title, text }) => ({ id: docid, text: wellFormed(docText(title ?? '', text)) }))
  .refine(({ text }) => text !== '', 'has neither title nor text');

/** Tevatron with the passages inside. */
const passagesForm = z.object({
  query_id: id.nullish(),
  query: text,
  positive_passages: z.array(passage).min(1, 'expected at least one positive'),
  negative_passages: z
    .array(passage)
    .nullish()
    .transform(list => list ?? []),
});

/** Tevatron with ids that point into a collection; the query under its new or its old name. */
const idsForm = z
  .object({
    query_id: id.nullish(),
    query_text: text.nullish(),
    query: text.nullish(),
    positive_document_ids: z.array(id).min(1, 'expected at least one positive'),
    negative_document_ids: z
      .array(id)
      .nullish()
      .transform(list => list ?? []),
  })
  .refine(record => (record.query_text ?? record.query) != null, "expected 'query_text' or 'query'");

/** sentence-transformers: `anchor` or `query`, `positive`, and `negative` or `negative_1`, `negative_2`, ... (absent ones may be null). */
const tupleForm = z
  .looseObject({ anchor: text.nullish(), query: text.nullish(), positive: text, negative: texts.nullish() })
  .refine(record => (record.anchor ?? record.query) != null, "expected 'anchor' or 'query'");

interface Form {
  /** The key that only this form has. */
  readonly key: string;
  readonly read: (value: JsonObject, textOfDocument: DocumentText, report: Report) => PairRecord | undefined;
}

const FORMS: readonly Form[] = [
  { key: 'positive_passages', read: fromPassages },
  { key: 'positive_document_ids', read: fromIds },
  { key: 'pos', read: fromFlag },
  { key: 'positive', read: fromTuple },
];

/** The pair in a record of any form, or undefined after reporting every reason why there is none. */
export function pairOf(
  value: JsonObject,
  textOfDocument: DocumentText,
  report: Report,
): PairRecord | undefined {
  const form = FORMS.find(({ key }) => key in value);
  if (form !== undefined) return form.read(value, textOfDocument, report);
  const keys = FORMS.map(({ key }) => `'${key}'`).join(', ');
  report(
    `no training pair: expected one of the keys ${keys}, found '${Object.keys(value).slice(0, 8).join("', '")}'`,
  );
  return undefined;
}

/** The document ids that a record needs texts for. */
export function documentIdsOf(value: JsonObject): string[] {
  const parsed = 'positive_document_ids' in value ? idsForm.safeParse(value) : undefined;
  return parsed?.success ? [...parsed.data.positive_document_ids, ...parsed.data.negative_document_ids] : [];
}

function parse<T>(schema: z.ZodType<T>, value: unknown, report: Report): T | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues)
    report(path.length > 0 ? `${path.map(String).join('.')}: ${message}` : message);
  return undefined;
}

function fromFlag(value: JsonObject, _: DocumentText, report: Report): PairRecord | undefined {
  const record = parse(flagForm, value, report);
  if (record === undefined) return undefined;
  let fits = true;
  for (const key of ['pos_ids', 'pos_scores', 'neg_ids', 'neg_scores', 'neg_ranks'] as const) {
    const beside = key.startsWith('pos') ? 'pos' : 'neg';
    const length = record[key]?.length;
    if (length === undefined || length === record[beside].length) continue;
    report(`'${key}' has ${length} entries beside ${record[beside].length} in '${beside}'`);
    fits = false;
  }
  return fits ? withoutAbsent(record) : undefined;
}

function fromPassages(value: JsonObject, _: DocumentText, report: Report): PairRecord | undefined {
  const record = parse(passagesForm, value, report);
  if (record === undefined) return undefined;
  const { query_id, query, positive_passages: pos, negative_passages: neg } = record;
  return withoutAbsent({
    query_id,
    query,
    pos: pos.map(({ text }) => text),
    pos_ids: allIds(pos),
    neg: neg.map(({ text }) => text),
    neg_ids: allIds(neg),
  });
}

function allIds(passages: readonly { readonly id?: string | null | undefined }[]): string[] | undefined {
  const ids = passages.flatMap(({ id }) => id ?? []);
  return ids.length === passages.length ? ids : undefined;
}

function fromIds(value: JsonObject, textOfDocument: DocumentText, report: Report): PairRecord | undefined {
  const record = parse(idsForm, value, report);
  if (record === undefined) return undefined;
  const { query_id, positive_document_ids: pos_ids, negative_document_ids: neg_ids } = record;
  let complete = true;
  const lookUp = (document: string) => {
    const found = textOfDocument(document);
    if (found) return found;
    report(
      `document '${document}' ${found === '' ? 'is empty' : 'is not known: name the collection it is of (--corpus)'}`,
    );
    complete = false;
    return '';
  };
  const [pos, neg] = [pos_ids.map(lookUp), neg_ids.map(lookUp)];
  const query = (record.query_text ?? record.query)!;
  return complete ? withoutAbsent({ query_id, query, pos, pos_ids, neg, neg_ids }) : undefined;
}

function fromTuple(value: JsonObject, _: DocumentText, report: Report): PairRecord | undefined {
  const record = parse(tupleForm, value, report);
  if (record === undefined) return undefined;
  const numbered = parse(z.array(text), numberedNegatives(value), report);
  if (numbered === undefined) return undefined;
  const query = (record.anchor ?? record.query)!;
  return { query, pos: [record.positive], neg: [...(record.negative ?? []), ...numbered] };
}

function numberedNegatives(value: JsonObject): unknown[] {
  return Object.keys(value)
    .filter(key => /^negative_\d+$/.test(key) && value[key] != null)
    .sort((a, b) => Number(a.slice(9)) - Number(b.slice(9)))
    .map(key => value[key]);
}

type Loose<T> = { readonly [K in keyof T]: T[K] | null | undefined };

/** A record without the keys that have nothing. */
function withoutAbsent(record: Loose<PairRecord>): PairRecord {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value != null),
  ) as unknown as PairRecord;
}
