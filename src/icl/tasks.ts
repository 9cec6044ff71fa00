/** Task lists in llm-foundry's YAML (`icl_tasks:`), read as they are. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import {
  ConfigDocument,
  type Environment,
  exists,
  InputError,
  joinInside,
  messageOf,
  Problems,
  unreadable,
} from '../base/index.ts';

export const TASK_TYPES = [
  'language_modeling',
  'multiple_choice',
  'schema',
  'generation_task_with_answers',
] as const;

export type TaskType = (typeof TASK_TYPES)[number];

/** One task at one number of shots. */
export interface IclTask {
  /** The label; with `/3-shot` behind it where the list has the label at several numbers of shots. */
  readonly name: string;
  readonly label: string;
  readonly type: TaskType;
  /** The records: JSON lines, plain or gzip. */
  readonly file: string;
  readonly shots: number;
  /** Stands once, before everything. */
  readonly promptString: string;
  /** Before every example, and the question itself, that has something before it. */
  readonly exampleDelimiter: string;
  /** Before every context. */
  readonly prelimiter: string;
  /** Between context and answer. */
  readonly continuationDelimiter: string;
  /** Records carry a `category`; examples are of the question's own. */
  readonly hasCategories: boolean;
  /** Of drawing examples; undefined: the evaluation's seed. */
  readonly seed: number | undefined;
  /** Between the chain of thought and the answer. */
  readonly cotDelimiter: string;
  /** Generation ends where one of them appears. */
  readonly stopStrings: readonly string[];
  /** Compare generated and accepted answers after TriviaQA's normalisation. */
  readonly normalize: boolean;
}

/** A task whose file is not there. */
export interface MissingTask {
  readonly name: string;
  /** Line and column of the list. */
  readonly where: string;
  readonly uri: string;
}

export interface TaskList {
  readonly tasks: readonly IclTask[];
  readonly missing: readonly MissingTask[];
}

export interface TaskListOptions {
  readonly environment?: Environment;
  /** Labels, or names, of the tasks wanted; all of them if not said. */
  readonly only?: readonly string[] | undefined;
  /** Overrides every task's number of shots. */
  readonly shots?: number | undefined;
}

const shotCount = z.number().int().min(0).max(1000);

/** llm-foundry's keys. Those that only say how its own loader batches are accepted and without effect. */
const taskSchema = z.strictObject({
  label: z.string().regex(/^[^/\\\0\s]+$/, 'expected a name without blanks and slashes'),
  dataset_uri: z.string().min(1),
  num_fewshot: z.union([z.array(shotCount).min(1), shotCount.transform(count => [count])]),
  icl_task_type: z.enum(TASK_TYPES),
  prompt_string: z.string().default(''),
  example_delimiter: z.string().default('\n'),
  continuation_delimiter: z.string().default(' '),
  question_prelimiter: z.string().optional(),
  prelimiter: z.string().optional(),
  has_categories: z.boolean().default(false),
  fewshot_random_seed: z.number().int().min(0).optional(),
  cot_delimiter: z.string().default(''),
  early_stopping_criteria: z.array(z.string().min(1)).default([]),
  do_normalization: z.boolean().default(true),
  metric_names: z.array(z.string()).optional(),
  batch_size: z.number().optional(),
  pad_tok_id: z.number().optional(),
  max_seq_len: z.number().optional(),
});

type RawTask = z.infer<typeof taskSchema>;

const listSchema = z.strictObject({
  icl_tasks: z.array(taskSchema).min(1),
  eval_gauntlet: z.unknown().optional(),
});

/** llm-foundry's own paths begin in its folder of scripts. */
const FOREIGN_FOLDER = 'eval/local_data/';

/**
 * Reads a list of tasks, or the `tasks.yaml` of a folder. Files are looked for below the list's folder (with or without llm-foundry's
 * `eval/local_data/`, plain or `.gz`); those that are not there are returned as missing. Throws one `InputError` with everything else that is wrong.
 */
export async function readTaskList(path: string, options: TaskListOptions = {}): Promise<TaskList> {
  const file = await listFile(path);
  const problems = new Problems();
  const document = await ConfigDocument.read(file, options.environment ?? {}, [], problems);
  const list = document.check(listSchema, [], problems);
  problems.throwIfAny();
  const raw = list!.icl_tasks;
  const names = uniqueNames(raw, options.shots);
  const tasks: IclTask[] = [];
  const missing: MissingTask[] = [];
  const chosen = choose(names, options.only, file, problems);
  for (const [i, task] of raw.entries()) {
    const at = (key: string) => document.locate(['icl_tasks', i, key]);
    if (task.prelimiter !== undefined && task.question_prelimiter !== undefined)
      problems.add(at('prelimiter'), 'is another name of question_prelimiter: give one of the two');
    const found = await findFile(dirname(file), task.dataset_uri, at('dataset_uri'), problems);
    for (const { name, shots, index } of names.filter(({ index }) => index === i)) {
      if (!chosen.has(name)) continue;
      if (tasks.some(other => other.name === name))
        problems.add(at('label'), `${name} stands in the list twice`);
      if (found === undefined) missing.push({ name, where: at('dataset_uri'), uri: raw[index]!.dataset_uri });
      else tasks.push(translate(task, name, shots, found));
    }
  }
  problems.throwIfAny();
  return { tasks, missing };
}

/** The same where every file must be there. */
export async function readTasks(path: string, options: TaskListOptions = {}): Promise<readonly IclTask[]> {
  const { tasks, missing } = await readTaskList(path, options);
  requireComplete(missing);
  return tasks;
}

/** Throws an `InputError` that names every task without its file. */
export function requireComplete(missing: readonly MissingTask[]): void {
  if (missing.length === 0) return;
  throw new InputError(
    missing.map(({ name, where, uri }) => ({
      where,
      message: `${name}: no file ${uri} (nor ${uri}.gz) below the list's folder: put it there, or leave the task out`,
    })),
  );
}

async function listFile(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return found.isDirectory() ? join(path, 'tasks.yaml') : path;
}

interface NamedTask {
  readonly name: string;
  readonly label: string;
  readonly shots: number;
  readonly index: number;
}

function uniqueNames(raw: readonly RawTask[], shotsOverride: number | undefined): NamedTask[] {
  const all = raw.flatMap(({ label, num_fewshot }, index) =>
    (shotsOverride === undefined ? num_fewshot : [shotsOverride]).map(shots => ({ label, shots, index })),
  );
  return all.map(task => {
    const several = all.some(other => other.label === task.label && other.shots !== task.shots);
    return { ...task, name: several ? `${task.label}/${task.shots}-shot` : task.label };
  });
}

function choose(
  names: readonly NamedTask[],
  only: readonly string[] | undefined,
  file: string,
  problems: Problems,
): ReadonlySet<string> {
  if (only === undefined) return new Set(names.map(({ name }) => name));
  const unknown = only.filter(word => !names.some(({ name, label }) => word === name || word === label));
  for (const word of unknown)
    problems.add(file, `has no task ${word}; there are ${names.map(({ name }) => name).join(', ')}`);
  return new Set(
    names.filter(({ name, label }) => only.includes(name) || only.includes(label)).map(({ name }) => name),
  );
}

/** Refuses paths that leave the folder: a list of tasks may come from anywhere. */
async function findFile(
  folder: string,
  uri: string,
  where: string,
  problems: Problems,
): Promise<string | undefined> {
  if (uri.includes('://')) {
    problems.add(where, `${uri} is not on this machine: fetch the file, put it beside the list and name it`);
    return undefined;
  }
  const names = uri.startsWith(FOREIGN_FOLDER) ? [uri, uri.slice(FOREIGN_FOLDER.length)] : [uri];
  try {
    for (const name of names.flatMap(plain => [plain, `${plain}.gz`])) {
      const path = joinInside(folder, name);
      if (await exists(path)) return path;
    }
  } catch (error) {
    problems.add(where, messageOf(error));
  }
  return undefined;
}

function translate(raw: RawTask, name: string, shots: number, file: string): IclTask {
  return {
    name,
    label: raw.label,
    type: raw.icl_task_type,
    file,
    shots,
    promptString: raw.prompt_string,
    exampleDelimiter: raw.example_delimiter,
    prelimiter: raw.prelimiter ?? raw.question_prelimiter ?? '',
    continuationDelimiter: raw.continuation_delimiter,
    hasCategories: raw.has_categories,
    seed: raw.fewshot_random_seed,
    cotDelimiter: raw.cot_delimiter,
    stopStrings: raw.early_stopping_criteria,
    normalize: raw.do_normalization,
  };
}
