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
 * (TREC's `query iteration document grade`), divided by tabs where they give that number (ids may then hold blanks) and by any blanks otherwise.
 * Lines that begin with `#` are comments, as for trec_eval 10. A pair judged twice is refused, and so is a file without one relevant document.
 */
export async function readQrelsFile(path: string): Promise<Qrels> {
  const problems = new Problems();
  const qrels = await readJudgements(path, problems);
  problems.throwIfAny();
  const fault = faultOfQrels(qrels);
  if (fault !== undefined) throw new InputError(path, fault);
  return qrels;
}

/** A judgement with the line it stands on. */
export interface Judgement {
  readonly query: string;
  readonly document: string;
  readonly grade: number;
  readonly line: number;
}

/** The sound judgements of a file; its faults go to `problems`. `visit` sees each with its line. */
export async function readJudgements(
  path: string,
  problems: Problems,
  visit?: (judgement: Judgement) => void,
): Promise<Qrels> {
  const qrels = new Map<string, Map<string, number>>();
  let layout: Layout | undefined;
  await eachLine(path, (line, number) => {
    if (line.startsWith('#') || line.trim() === '') return;
    const report = (message: string) => problems.add(`${path}:${number}`, message);
    if (layout === undefined) {
      layout = layoutOf(line, `${path}:${number}`);
      if (layout.header) return;
    }
    const judgement = judgementOf(line, layout, number, report);
    if (judgement === undefined) return;
    const { query, document } = judgement;
    if (insert(qrels, judgement)) visit?.(judgement);
    else report(`document '${document}' is judged a second time for query '${query}': keep one line`);
  });
  return qrels;
}

/** Why judgements that were read without a fault are of no use, if so. */
export function faultOfQrels(qrels: Qrels): string | undefined {
  if (qrels.size === 0) return 'holds no judgements';
  if (hasRelevant(qrels)) return undefined;
  return 'no document has a grade above 0, so every measure would be 0: is this the right file?';
}

function hasRelevant(qrels: Qrels): boolean {
  for (const grades of qrels.values()) for (const grade of grades.values()) if (grade > 0) return true;
  return false;
}

function fieldsOf(line: string, tabs: boolean): string[] {
  if (tabs) return line.split('\t');
  const fields = line.split(' '); // several times faster than the pattern, and enough for most files
  return fields.includes('') || line.includes('\t') ? line.trim().split(/\s+/) : fields;
}

/** What the third column of a header line is called: BEIR says score. */
const GRADE_NAMES = /^(score|relevance|rel|grade|label|qrel)$/i;

function layoutOf(line: string, where: string): Layout {
  const tabbed = line.split('\t').length;
  const tabs = tabbed === 3 || tabbed === 4;
  const fields = fieldsOf(line, tabs);
  const columns = fields.length;
  if (columns === 4) return { columns, tabs, header: false };
  if (columns === 3) return { columns, tabs, header: GRADE_NAMES.test(fields[2]!.trim()) };
  const expected = "'query document grade' or 'query iteration document grade'";
  throw new InputError(where, `expected ${expected}, found ${columns} field${columns === 1 ? '' : 's'}`);
}

/** Whole numbers, also spelled `1.0`; undefined for anything else. */
function gradeOf(text: string): number | undefined {
  if (!/^\s*[+-]?\d{1,9}(\.0+)?\s*$/.test(text)) return undefined;
  const grade = Number(text);
  return grade === 0 ? 0 : grade; // no -0
}

function judgementOf(
  line: string,
  layout: Layout,
  number: number,
  report: (message: string) => void,
): Judgement | undefined {
  const fields = fieldsOf(line, layout.tabs);
  if (fields.length !== layout.columns) {
    const kind = layout.tabs ? 'tab-separated' : 'blank-separated';
    report(`expected ${layout.columns} ${kind} fields, found ${fields.length}`);
    return undefined;
  }
  const [query, document, text] = [fields[0]!, fields[layout.columns - 2]!, fields[layout.columns - 1]!];
  const grade = gradeOf(text);
  if (query === '' || document === '') report('an id is empty');
  else if (grade === undefined) report(`expected a whole number as grade, found '${text.slice(0, 40)}'`);
  else return { query, document, grade, line: number };
  return undefined;
}

/** False if the pair has a grade already. */
function insert(qrels: Map<string, Map<string, number>>, { query, document, grade }: Judgement): boolean {
  const grades = qrels.get(query) ?? new Map<string, number>();
  if (grades.size === 0) qrels.set(query, grades);
  const before = grades.size;
  if (!grades.has(document)) grades.set(document, grade);
  return grades.size > before;
}
