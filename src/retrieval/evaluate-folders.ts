/**
 * Evaluation of many collection folders into one folder of results: what `isoflop beir` does.
 *
 *     model_meta.json        MTEB's description of the model; its revision is the hash of all that decides its rankings
 *     TASK.json              MTEB task result
 *     runs/TASK.run          TREC run
 *     queries/TASK.jsonl     measures of each query
 *     details/TASK.json      intervals, ties, rules, identity, hashes of the other files: written last, so that with it a collection is finished
 *     summary.txt            the table
 *     scratch/TASK/          vectors or an index, until the collection is finished
 *
 * The same call goes on where an earlier one stopped; a folder with results of another model or of other data is refused.
 */
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  exists,
  hashOf,
  InputError,
  Problems,
  prettyJson,
  readConfig,
  readInputJson,
  readInputText,
  sha256File,
  writeAtomically,
  writeFileAtomic,
} from '../base/index.ts';
import { mean } from '../stats/index.ts';
import {
  type CollectionGroup,
  type CollectionHashes,
  type CollectionOptions,
  groupOf,
  hashCollection,
  openCollection,
  revisionOf,
  sizeWarning,
} from './collection.ts';
import {
  BEIR_MEASURES,
  type CollectionResult,
  DEFAULT_EVALUATION,
  type EvaluationSettings,
  evaluateCollection,
  MAIN_MEASURE,
  type MeanResult,
  meanOverGroups,
  measuresWithin,
} from './evaluate-collection.ts';
import {
  type CollectionRecord,
  differences,
  type Identity,
  mtebResult,
  queryLines,
  recordSchema,
  runText,
  summaryPart,
} from './result-files.ts';
import type { Effects, Retriever } from './retriever.ts';
import { type ResultRow, type ResultSummary, summaryText } from './summary.ts';

export interface FoldersOptions extends CollectionOptions, Partial<Omit<EvaluationSettings, 'measures'>> {
  /** Name of the model in the results (default: the retriever's tag). */
  readonly name?: string | undefined;
  readonly params?: number | undefined;
  /** Keep vectors or the index after a collection is finished. */
  readonly keepScratch?: boolean | undefined;
}

export interface FoldersEffects extends Effects {
  /** Told of oddities that leave the numbers well defined. */
  readonly warn: (message: string) => void;
}

/** Evaluates folders one after the other and writes everything about them into `results`. */
export async function evaluateFolders(
  retriever: Retriever,
  folders: readonly string[],
  results: string,
  options: FoldersOptions,
  effects: FoldersEffects,
): Promise<ResultSummary> {
  const groups = await distinctGroups(folders);
  const name = options.name ?? retriever.tag;
  await claimFolder(results, name, retriever, options.params);
  const writer = new ResultsWriter(retriever, results, options, effects);
  const rows: ResultRow[] = [];
  const columns: Float64Array[][] = [];
  for (const group of groups) {
    const records: CollectionRecord[] = [];
    for (const folder of group.folders) records.push(await writer.collection(folder));
    const values = await Promise.all(records.map(record => writer.mainValues(record)));
    columns.push(values);
    rows.push(records.length === 1 ? rowOf(records[0]!) : await writer.groupRow(group, records, values));
  }
  const settings = writer.settings;
  const overall: MeanResult | undefined = rows.length > 1 ? meanOverGroups(columns, settings) : undefined;
  const summary: ResultSummary = {
    model: name,
    level: settings.level,
    rows,
    ...(overall && { mean: overall }),
  };
  await writeFileAtomic(join(results, 'summary.txt'), summaryText(summary));
  await rmdir(join(results, 'scratch')).catch(() => undefined); // only if it is empty
  return summary;
}

async function distinctGroups(folders: readonly string[]): Promise<CollectionGroup[]> {
  const groups = await Promise.all(folders.map(groupOf));
  const problems = new Problems();
  const seen = new Map<string, string>();
  groups.forEach(({ task }, i) => {
    const earlier = seen.get(task);
    if (earlier !== undefined)
      problems.add(
        folders[i]!,
        `is called ${task} like ${earlier}: their results would overwrite each other`,
      );
    seen.set(task, folders[i]!);
  });
  problems.throwIfAny();
  return groups;
}

/** Makes the folder, or checks that its results are this model's. */
async function claimFolder(
  results: string,
  name: string,
  retriever: Retriever,
  params: number | undefined,
): Promise<void> {
  const file = join(results, 'model_meta.json');
  const meta = { name, revision: hashOf(retriever.identity), n_parameters: params ?? null };
  if (!(await exists(file))) return writeFileAtomic(file, prettyJson(meta));
  const found = await readInputJson(file);
  const revision = typeof found === 'object' && found !== null && 'revision' in found ? found.revision : null;
  if (revision !== meta.revision)
    throw new InputError(
      results,
      'holds results of another model, or of this one with other settings (weights, tokenizer, prefixes, lengths, parameters): choose another folder',
    );
}

class ResultsWriter {
  readonly settings: EvaluationSettings;
  readonly #retriever: Retriever;
  readonly #results: string;
  readonly #options: FoldersOptions;
  readonly #effects: FoldersEffects;

  constructor(retriever: Retriever, results: string, options: FoldersOptions, effects: FoldersEffects) {
    const { k = DEFAULT_EVALUATION.k, seed, resamples, level } = options;
    if (k < MAIN_MEASURE.cutoff)
      throw new InputError('k', `${k} documents a query are too few for ${MAIN_MEASURE.name}`);
    const given = { k, seed, resamples, level };
    const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    this.settings = { ...DEFAULT_EVALUATION, ...said, measures: measuresWithin(k, BEIR_MEASURES) };
    this.#retriever = retriever;
    this.#results = results;
    this.#options = options;
    this.#effects = effects;
  }

  /** Evaluates one folder, unless that was done. */
  async collection(folder: string): Promise<CollectionRecord> {
    const collection = await openCollection(folder, this.#options);
    const hashes = await hashCollection(folder, collection.split);
    const { k, seed, resamples, level } = this.settings;
    const { split, removeSelf, task } = collection;
    const identity: Identity = {
      model: this.#retriever.identity,
      data: hashes,
      settings: { split, removeSelf, k, seed, resamples, level },
    };
    const finished = await this.#finished(task, identity);
    if (finished) return finished;
    const scratch = join(this.#results, 'scratch', task);
    await mkdir(scratch, { recursive: true });
    const result = await evaluateCollection(this.#retriever, collection, this.settings, {
      ...this.#effects,
      scratch,
      corpusHash: hashes.corpus,
    });
    const record = await this.#write(result, identity, hashes);
    if (this.#options.keepScratch !== true) await rm(scratch, { recursive: true, force: true });
    return record;
  }

  /** The record of a collection that is finished and whole. Another identity is refused; damaged files are made again. */
  async #finished(task: string, identity: Identity): Promise<CollectionRecord | undefined> {
    const file = this.#path(`details/${task}.json`);
    if (!(await exists(file))) return undefined;
    const record = await readConfig(file, recordSchema, {});
    const other = differences(record.identity, identity);
    if (other.length > 0)
      throw new InputError(
        this.#results,
        `holds results of ${task} with other ${other.join(' and ')}: choose another folder, or remove ${file}`,
      );
    for (const [name, hash] of Object.entries(record.files)) {
      const path = this.#path(name);
      const whole = (await stat(path).catch(() => undefined))?.isFile() && (await sha256File(path)) === hash;
      if (whole) continue;
      this.#effects.warn(`${path} is missing or changed: ${task} is evaluated again`);
      return undefined;
    }
    return record;
  }

  async #write(
    result: CollectionResult,
    identity: Identity,
    hashes: CollectionHashes,
  ): Promise<CollectionRecord> {
    const { collection, run, evaluation, summary, documents } = result;
    const { task, split, qrels, removeSelf } = collection;
    const [runFile, queryFile, taskFile] = [`runs/${task}.run`, `queries/${task}.jsonl`, `${task}.json`];
    const warning = sizeWarning(collection, documents);
    if (warning !== undefined) this.#effects.warn(warning);
    await writeAtomically(this.#path(runFile), async file => {
      for (const lines of runText(run)) await file.write(lines);
    });
    await writeFileAtomic(this.#path(queryFile), queryLines(evaluation, run));
    await this.#writeTask(task, split, revisionOf(hashes), summary.measures);
    const files: Record<string, string> = {};
    for (const name of [runFile, queryFile, taskFile]) files[name] = await sha256File(this.#path(name));
    const record: CollectionRecord = {
      ...{ format: 'isoflop-retrieval', version: 1, task, split, documents },
      queries: summary.queries,
      judgements: [...qrels.values()].reduce((sum, judged) => sum + judged.size, 0),
      identity,
      rules: {
        order: 'score descending, document id descending',
        missingQueries: 'zero',
        selfHits: removeSelf ? 'removed' : 'kept',
      },
      ...summaryPart(summary),
      warnings: warning === undefined ? [] : [warning],
      files,
    };
    await writeFileAtomic(this.#path(`details/${task}.json`), prettyJson(record));
    return record;
  }

  async #writeTask(
    task: string,
    split: string,
    revision: string,
    means: Readonly<Record<string, number>>,
  ): Promise<void> {
    await writeFileAtomic(
      this.#path(`${task}.json`),
      prettyJson(mtebResult({ task, split, revision, means })),
    );
  }

  /** nDCG@10 of every query, from the file. */
  async mainValues({ task }: CollectionRecord): Promise<Float64Array> {
    const text = await readInputText(this.#path(`queries/${task}.jsonl`));
    const rows = text.split('\n').filter(line => line !== '');
    return Float64Array.from(rows, line => {
      const row = JSON.parse(line) as Readonly<Record<string, number>>;
      return row[MAIN_MEASURE.name]!;
    });
  }

  /** The unweighted mean over a group's members, written as one task of MTEB's. */
  async groupRow(
    { task }: CollectionGroup,
    records: readonly CollectionRecord[],
    values: readonly Float64Array[],
  ): Promise<ResultRow> {
    const names = Object.keys(records[0]!.measures);
    const meanOf = (pick: (record: CollectionRecord) => number) => mean(records.map(pick));
    const means = Object.fromEntries(names.map(name => [name, meanOf(({ measures }) => measures[name]!)]));
    const { split } = records[0]!;
    await this.#writeTask(task, split, hashOf(records.map(({ identity }) => identity.data)), means);
    const { low, high } = meanOverGroups([values], this.settings);
    const sum = (pick: (record: CollectionRecord) => number) =>
      records.reduce((total, record) => total + pick(record), 0);
    return {
      ...{ task, split, measures: means, interval: [low, high] },
      documents: sum(({ documents }) => documents),
      queries: sum(({ queries }) => queries),
      expectedOverTies: meanOf(({ ties }) => ties.expected[MAIN_MEASURE.name]!),
      members: records.length,
    };
  }

  #path(name: string): string {
    return join(this.#results, ...name.split('/'));
  }
}

function rowOf(record: CollectionRecord): ResultRow {
  const { task, split, documents, queries, measures, intervals, ties } = record;
  return {
    ...{ task, split, documents, queries, measures },
    interval: intervals.measures[MAIN_MEASURE.name]!,
    expectedOverTies: ties.expected[MAIN_MEASURE.name]!,
    members: 1,
  };
}
