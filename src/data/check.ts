/** Everything that is wrong with a collection, found in one pass over its files, each fault with its place. */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError, type Problem, Problems, type Progress, textTable, unreadable } from '../base/index.ts';
import {
  CORPUS_FILES,
  docText,
  pathOf,
  type ReadOptions,
  type RecordKind,
  readRecords,
  type TextRecord,
  UniqueIds,
} from '../collections/index.ts';
import { faultOfQrels, readJudgements } from '../trec/index.ts';
import { datasetOfFolder } from './registry/datasets.ts';

export interface SplitReport {
  readonly split: string;
  /** Queries with judgements. */
  readonly queries: number;
  readonly judgements: number;
  /** Judgements with a grade above 0. */
  readonly relevant: number;
}

export interface CollectionReport {
  readonly folder: string;
  readonly documents: number;
  readonly queries: number;
  readonly splits: readonly SplitReport[];
  readonly errorCount: number;
  readonly warningCount: number;
  /** Faults: commands refuse the file, or numbers from it would mean something else than they seem to. At most fifty of one kind in one file. */
  readonly errors: readonly Problem[];
  /** Oddities that official collections have too, listed likewise. */
  readonly warnings: readonly Problem[];
}

export interface CheckOptions extends ReadOptions {
  /** Does the collection's rule drop documents whose id is the query's? */
  readonly removeSelf?: boolean | undefined;
  /** Called now and then with the number of documents read. */
  readonly onDocuments?: ((count: number) => void) | undefined;
}

/** Reads a collection folder (BEIR's layout or MS MARCO's) and reports all its faults. Throws only if the folder itself can not be read. */
export async function checkCollection(folder: string, options: CheckOptions = {}): Promise<CollectionReport> {
  const names = await readdir(folder).catch(error => {
    throw unreadable(folder, error);
  });
  const findings = new Findings();
  const corpus = await findings.attempt(() => pathOf(folder, CORPUS_FILES));
  const documents = corpus ? await checkRecords(corpus, 'document', findings, options) : undefined;
  const queries: QueryFile[] = [];
  for (const path of await queryFiles(folder, names, findings))
    queries.push({ path, ids: await checkRecords(path, 'query', findings, options) });
  const judged = new Set<string>();
  const splits: SplitReport[] = [];
  for (const path of await qrelsFiles(folder, names, findings))
    splits.push(await checkQrels(path, documents, queries, judged, findings));
  if (splits.length > 0) warnUnjudged(queries, judged, findings);
  if (documents) warnCollisions(folder, documents, queries, options.removeSelf === true, findings);
  return {
    folder,
    documents: documents?.size ?? 0,
    queries: queries.reduce((sum, { ids }) => sum + ids.size, 0),
    splits,
    ...findings.report(),
  };
}

interface QueryFile {
  readonly path: string;
  readonly ids: UniqueIds;
}

/** Faults by kind and file, so that none hides another's behind the limit on how many are listed. */
class Findings {
  readonly #errors: Problems[] = [];
  readonly #warnings: Problems[] = [];

  /** A new list of errors, or of warnings. */
  errors(): Problems {
    return added(this.#errors);
  }

  warnings(): Problems {
    return added(this.#warnings);
  }

  /** Runs a step; an `InputError` becomes an error found, and the step's result undefined. */
  async attempt<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const problems = this.errors();
      for (const { where, message } of error.problems) problems.add(where, message);
      return undefined;
    }
  }

  report(): Pick<CollectionReport, 'errorCount' | 'warningCount' | 'errors' | 'warnings'> {
    const count = (lists: readonly Problems[]) => lists.reduce((sum, list) => sum + list.count, 0);
    return {
      errorCount: count(this.#errors),
      warningCount: count(this.#warnings),
      errors: this.#errors.flatMap(list => list.list()),
      warnings: this.#warnings.flatMap(list => list.list()),
    };
  }
}

function added(lists: Problems[]): Problems {
  const list = new Problems();
  lists.push(list);
  return list;
}

async function checkRecords(
  path: string,
  kind: RecordKind,
  findings: Findings,
  options: CheckOptions,
): Promise<UniqueIds> {
  const ids = new UniqueIds();
  const [problems, blank] = [findings.errors(), findings.warnings()];
  await findings.attempt(async () => {
    for await (const records of readRecords(path, kind, problems, options.signal)) {
      for (const record of records) {
        ids.add(record.id, path, record.line, problems);
        if (isBlank(record)) blank.add(`${path}:${record.line}`, `${kind} '${record.id}' has no text`);
      }
      if (kind === 'document') options.onDocuments?.(ids.size);
    }
    if (ids.size === 0) problems.add(path, `holds no ${kind === 'query' ? 'queries' : 'documents'}`);
  });
  return ids;
}

function isBlank({ title, text }: TextRecord): boolean {
  return docText(title, text) === '';
}

async function queryFiles(folder: string, names: readonly string[], findings: Findings): Promise<string[]> {
  const msmarco = names
    .filter(name => /^queries\..+\.tsv(\.gz)?$/.test(name))
    .map(name => join(folder, name));
  if (msmarco.length > 0) return msmarco;
  const path = await findings.attempt(() => pathOf(folder, ['queries.jsonl']));
  return path === undefined ? [] : [path];
}

async function qrelsFiles(folder: string, names: readonly string[], findings: Findings): Promise<string[]> {
  const inside = await readdir(join(folder, 'qrels')).catch(() => []);
  const paths = [
    ...inside.filter(name => /\.tsv(\.gz)?$/.test(name)).map(name => join(folder, 'qrels', name)),
    ...names.filter(name => /^qrels\..+\.tsv(\.gz)?$/.test(name)).map(name => join(folder, name)),
  ].sort();
  if (paths.length === 0) findings.errors().add(folder, 'has no qrels/SPLIT.tsv (plain or .gz)');
  return paths;
}

async function checkQrels(
  path: string,
  documents: UniqueIds | undefined,
  queries: readonly QueryFile[],
  judged: Set<string>,
  findings: Findings,
): Promise<SplitReport> {
  const problems = findings.errors();
  const without = findings.warnings();
  let [judgements, relevant] = [0, 0];
  const qrels = await findings.attempt(() =>
    readJudgements(path, problems, ({ query, document, grade, line }) => {
      judgements++;
      if (grade > 0) relevant++;
      judged.add(query);
      if (!queries.some(({ ids }) => ids.has(query)))
        problems.add(`${path}:${line}`, `query '${query}' is not among the queries`);
      if (documents && !documents.has(document))
        problems.add(`${path}:${line}`, `document '${document}' is not in the corpus`);
    }),
  );
  const fault = qrels && problems.count === 0 ? faultOfQrels(qrels) : undefined;
  if (fault !== undefined) problems.add(path, fault);
  for (const [query, grades] of qrels ?? [])
    if (fault === undefined && [...grades.values()].every(grade => grade <= 0))
      without.add(path, `query '${query}' has no relevant document: it scores 0`);
  const split = basename(path)
    .replace(/^qrels\./, '')
    .replace(/\.tsv(\.gz)?$/, '');
  return { split, queries: qrels?.size ?? 0, judgements, relevant };
}

function warnUnjudged(queries: readonly QueryFile[], judged: ReadonlySet<string>, findings: Findings): void {
  for (const { path, ids } of queries) {
    const problems = findings.warnings();
    for (const { id, line } of ids.entries())
      if (!judged.has(id)) problems.add(`${path}:${line}`, `query '${id}' has no judgements in any split`);
  }
}

function warnCollisions(
  folder: string,
  documents: UniqueIds,
  queries: readonly QueryFile[],
  removeSelf: boolean,
  findings: Findings,
): void {
  const shared = queries.flatMap(({ ids }) => [...ids.entries()].filter(({ id }) => documents.has(id)));
  const warn = (message: string) => findings.warnings().add(folder, message);
  if (removeSelf && shared.length === 0)
    warn('its rule drops documents that are the query itself, and no query has the id of a document');
  if (!removeSelf && shared.length > 0)
    warn(
      `${shared.length} query ids are also document ids (such as '${shared[0]!.id}'): if they are not the same texts, never score with --remove-self`,
    );
}

/** Checks a folder, by the rules of the public collection that its name says it is. */
export async function checkFolder(
  folder: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<CollectionReport> {
  const task = progress.start('check', datasetOfFolder(folder)?.documents, 'documents');
  const report = await checkCollection(folder, {
    signal,
    removeSelf: datasetOfFolder(folder)?.removeSelf,
    onDocuments: count => task.update(count),
  });
  task.finish();
  return report;
}

/** The error that a report amounts to, if it does. */
export function failedCheck(report: CollectionReport, strict: boolean): InputError | undefined {
  const problems = strict ? [...report.errors, ...report.warnings] : report.errors;
  return problems.length > 0 ? new InputError(problems) : undefined;
}

export function reportText(report: CollectionReport): string {
  const { folder, documents, queries, splits, errorCount, warningCount } = report;
  const rows = splits.map(s => [s.split, String(s.queries), String(s.judgements), String(s.relevant)]);
  const table = textTable(['split', 'judged queries', 'judgements', 'relevant'], rows);
  const found = `${errorCount} errors, ${warningCount} warnings`;
  return `${folder}: ${documents} documents, ${queries} queries; ${found}\n${table}`;
}
