/** MTEB result files, of every version: one JSON a task, in a folder a model (and, below it, a revision). */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError, messageOf, Problems, readInputJson } from '../../base/index.ts';
import { inFractions, isRecord, type ModelScores, ndcgIn } from './scores.ts';

const FORUMS = 12;
const MAX_BYTES = 64 << 20;

/** BEIR's MS MARCO is judged on dev, everything else on test. */
function splitOf(task: string): string {
  return task === 'MSMARCO' ? 'dev' : 'test';
}

/** The task's name and nDCG@10; undefined for a task that has none (it is no retrieval task) or lacks the split. */
export function parseMtebResult(value: unknown, file: string): { task: string; score: number } | undefined {
  if (!isRecord(value)) throw new InputError(file, 'is no MTEB result: expected a JSON object');
  const named = value['task_name'] ?? value['mteb_dataset_name'] ?? basename(file, '.json');
  if (typeof named !== 'string') throw new InputError(file, 'its task name is no text');
  const split = splitOf(named);
  const scores = isRecord(value['scores']) ? value['scores'][split] : value[split];
  if (scores === undefined) return undefined;
  const score = Array.isArray(scores) ? ndcgOfSubsets(scores, file) : ndcgIn(scores, file);
  return score === undefined ? undefined : { task: named, score };
}

/** New files list one entry a subset: the only one, or the one called default. */
function ndcgOfSubsets(entries: readonly unknown[], file: string): number | undefined {
  const chosen =
    entries.length === 1
      ? entries[0]
      : entries.find(entry => isRecord(entry) && entry['hf_subset'] === 'default');
  return ndcgIn(chosen, file);
}

/**
 * Reads a model's results: `FOLDER/*.json` or `FOLDER/REVISION/*.json` with one revision. A folder with several revisions is refused,
 * since mixing them is how averages become wrong. CQADupStack is averaged from its twelve forums where only those are there.
 */
export async function readMtebFolder(folder: string): Promise<ModelScores> {
  const problems = new Problems();
  const files = await taskFiles(folder);
  const scores = new Map<string, number>();
  let [model, params] = [basename(folder).replace('__', '/'), undefined as number | undefined];
  for (const file of files) {
    const json = await readInputJson(file, MAX_BYTES).catch((error: unknown) => {
      problems.add(file, messageOf(error));
      return undefined;
    });
    if (json === undefined) continue;
    if (basename(file) === 'model_meta.json') {
      if (isRecord(json) && typeof json['name'] === 'string') model = json['name'];
      if (isRecord(json) && typeof json['n_parameters'] === 'number') params = json['n_parameters'];
      continue;
    }
    const result = parseMtebResult(json, file);
    if (result !== undefined) scores.set(result.task, result.score);
  }
  problems.throwIfAny();
  if (scores.size === 0) throw new InputError(folder, 'holds no MTEB retrieval result with nDCG@10');
  const all = withCqaDupStack(model, inFractions(model, scores));
  return { model, scores: all, ...(params !== undefined && { params }) };
}

async function taskFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new InputError(folder, `cannot be listed: ${messageOf(error)}`);
  });
  const json = (names: readonly { name: string }[]) =>
    names
      .map(({ name }) => name)
      .filter(name => name.endsWith('.json'))
      .sort();
  const here = json(entries.filter(entry => entry.isFile()));
  if (here.some(name => name !== 'model_meta.json')) return here.map(name => join(folder, name));
  const revisions = entries.filter(entry => entry.isDirectory()).map(entry => entry.name);
  if (revisions.length !== 1)
    throw new InputError(
      folder,
      revisions.length === 0
        ? 'holds no result files'
        : `holds ${revisions.length} revisions (${revisions.slice(0, 5).join(', ')}): name one of them`,
    );
  const inner = join(folder, revisions[0]!);
  const names = json((await readdir(inner, { withFileTypes: true })).filter(entry => entry.isFile()));
  return [...here.map(name => join(folder, name)), ...names.map(name => join(inner, name))];
}

/** Adds CQADupstackRetrieval as the mean of its forums; refuses some of the twelve. */
function withCqaDupStack(model: string, scores: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (scores.has('CQADupstackRetrieval')) return scores;
  const forums = [...scores].filter(([task]) => /^CQADupstack.+Retrieval$/.test(task));
  if (forums.length === 0) return scores;
  if (forums.length !== FORUMS)
    throw new InputError(
      model,
      `has ${forums.length} of CQADupStack's ${FORUMS} forums: their mean would be another number`,
    );
  const mean = forums.reduce((sum, [, score]) => sum + score, 0) / FORUMS;
  return new Map([...scores, ['CQADupstackRetrieval', mean]]);
}
