/** Relevance judgements: TREC's four columns, BEIR's three with a header, or three without. */
import { eachLine, InputError, Problems } from '../base/index.ts';

/** query id -> document id -> grade. Grades above 0 are relevant; 0 and negative ones are judged and not relevant. */
export type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;

interface Layout {
  readonly columns: 3 | 4;
  readonly tabs: boolean;
  readonly header: boolean;
}

/**
 * Reads judgements. The first line decides the layout: three columns (`query document grade`, BEIR's, with or without its header) or four
 * (TREC's `query iteration document grade`), divided by tabs where it has tabs (ids may then hold spaces) and by blanks otherwise.
 * Lines that begin with `#` are comments, as for trec_eval 10. A pair judged twice is refused, and so is a file without one relevant document.
 */
export async function readQrelsFile(path: string): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
  const problems = new Problems();
  let layout: Layout | undefined;
  await eachLine(path, (line, number) => {
    if (line === '' || line.startsWith('#') || line.trim() === '') return;
    const where = `${path}:${number}`;
    if (layout === undefined) {
      layout = layoutOf(line, where);
      if (layout.header) return;
    }
    addJudgement(qrels, line, layout, where, problems);
  });
  problems.throwIfAny();
  if (!hasRelevant(qrels))
    throw new InputError(
      path,
      qrels.size === 0
        ? 'holds no judgements'
        : 'no document has a grade above 0, so every measure would be 0: is this the right file?',
    );
  return qrels;
}

function hasRelevant(qrels: Qrels): boolean {
  for (const grades of qrels.values()) for (const grade of grades.values()) if (grade > 0) return true;
  return false;
}

function fieldsOf(line: string, tabs: boolean): string[] {
  return tabs ? line.split('\t') : line.trim().split(/\s+/);
}

function layoutOf(line: string, where: string): Layout {
  const tabs = line.includes('\t');
  const fields = fieldsOf(line, tabs);
  const columns = fields.length;
  if (columns !== 3 && columns !== 4) {
    throw new InputError(
      where,
      `expected 'query document grade' or 'query iteration document grade', found ${columns} ${tabs ? 'tab-separated' : ''} field${columns === 1 ? '' : 's'}`,
    );
  }
  return { columns, tabs, header: columns === 3 && gradeOf(fields[2]!) === undefined };
}

/** Whole numbers, also spelled `1.0`; undefined for anything else. */
function gradeOf(text: string): number | undefined {
  if (!/^\s*[+-]?\d{1,9}(\.0+)?\s*$/.test(text)) return undefined;
  const grade = Number(text);
  return grade === 0 ? 0 : grade; // no -0
}

function addJudgement(
  qrels: Map<string, Map<string, number>>,
  line: string,
  layout: Layout,
  where: string,
  problems: Problems,
): void {
  const fields = fieldsOf(line, layout.tabs);
  if (fields.length !== layout.columns) {
    const kind = layout.tabs ? 'tab-separated' : 'blank-separated';
    problems.add(where, `expected ${layout.columns} ${kind} fields, found ${fields.length}`);
    return;
  }
  const [query, document, text] = [fields[0]!, fields[layout.columns - 2]!, fields[layout.columns - 1]!];
  const grade = gradeOf(text);
  if (query === '' || document === '') problems.add(where, 'an id is empty');
  else if (grade === undefined)
    problems.add(where, `expected a whole number as grade, found '${text.slice(0, 40)}'`);
  else if (qrels.get(query)?.has(document))
    problems.add(where, `document '${document}' is judged a second time for query '${query}': keep one line`);
  else insert(qrels, query, document, grade);
}

function insert(
  qrels: Map<string, Map<string, number>>,
  query: string,
  document: string,
  grade: number,
): void {
  const grades = qrels.get(query);
  if (grades === undefined) qrels.set(query, new Map([[document, grade]]));
  else grades.set(document, grade);
}
