/** llm-foundry's task files: a YAML list of tasks, each with a file of records. */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import {
  type Environment,
  exists,
  given,
  InputError,
  isAbort,
  Problems,
  readConfig,
  sha256File,
} from '../base/index.ts';
import { readRecordFile } from './read-records.ts';
import { type RecordTypes, TASK_TYPES, type TaskType } from './records.ts';
import {
  DEFAULT_PROMPT,
  type GenerationSettings,
  type IclTask,
  type PromptSettings,
  taskKey,
} from './settings.ts';

/** One task of a file at one number of examples. */
export interface TaskSpec {
  readonly label: string;
  readonly type: TaskType;
  readonly shots: number;
  readonly categories: boolean;
  readonly prompt: Partial<PromptSettings>;
  readonly generation: Partial<GenerationSettings>;
  /** As the file has it. */
  readonly datasetUri: string;
  /** Where the records are; undefined where there is no such file. */
  readonly path: string | undefined;
}

/** A task with its records and where they come from. */
export interface LoadedTask {
  readonly task: IclTask;
  readonly source: { readonly path: string; readonly sha256: string };
}

const count = z.int().min(0).max(1000);

/** `metric_names` and `batch_size` are accepted and have no effect here: the metric belongs to the type, batches go by length. */
const taskSchema = z.strictObject({
  label: z
    .string()
    .regex(
      /^[\p{L}\p{N}][\p{L}\p{N}_.+-]*$/u,
      'expected letters, digits and _ . + - (results are files of this name)',
    ),
  dataset_uri: z.string().min(1),
  num_fewshot: z.union([count, z.array(count).min(1)]),
  icl_task_type: z.enum(TASK_TYPES),
  prompt_string: z.string().optional(),
  example_delimiter: z.string().optional(),
  continuation_delimiter: z.string().optional(),
  prelimiter: z.string().optional(),
  question_prelimiter: z.string().optional(),
  cot_delimiter: z.string().optional(),
  strip_dataset: z.boolean().optional(),
  fewshot_random_seed: z.int().min(0).max(0xffffffff).optional(),
  has_categories: z.boolean().optional(),
  do_normalization: z.boolean().optional(),
  early_stopping_criteria: z.array(z.string().min(1)).optional(),
  generation_kwargs: z.strictObject({ max_new_tokens: z.int().min(1).max(100_000).optional() }).optional(),
  metric_names: z.array(z.string()).optional(),
  batch_size: z.int().min(1).optional(),
});

type TaskEntry = z.infer<typeof taskSchema>;

const fileSchema = z.strictObject({ icl_tasks: z.array(taskSchema).min(1) });

/**
 * Reads a task file, a task with several numbers of examples as several. `dataset_uri` is a path from the file's folder; llm-foundry's own
 * beginning `eval/local_data/` may be missing there, and `.gz` may follow. Which files exist is only looked up, not required.
 */
export async function readTaskFile(path: string, environment: Environment): Promise<TaskSpec[]> {
  const { icl_tasks } = await readConfig(path, fileSchema, environment);
  const problems = new Problems();
  const specs: TaskSpec[] = [];
  for (const entry of icl_tasks) {
    if (entry.dataset_uri.includes('://'))
      problems.add(path, `${entry.dataset_uri} is not on this machine: fetch the file and name where it is`);
    const records = await findRecords(entry.dataset_uri, dirname(path));
    const shots = [entry.num_fewshot].flat();
    for (const one of shots) specs.push(specOf(entry, one, records, path, problems));
  }
  const keys = new Set<string>();
  for (const key of specs.map(taskKey)) {
    if (keys.has(key)) problems.add(path, `lists ${key} twice`);
    keys.add(key);
  }
  problems.throwIfAny();
  return specs;
}

function specOf(
  entry: TaskEntry,
  shots: number,
  records: string | undefined,
  path: string,
  problems: Problems,
): TaskSpec {
  const { prelimiter = entry.question_prelimiter, question_prelimiter: older = prelimiter } = entry;
  if (older !== prelimiter)
    problems.add(
      path,
      `${entry.label} has two names for one setting: keep prelimiter or question_prelimiter`,
    );
  const generation = {
    stops: entry.early_stopping_criteria,
    normalize: entry.do_normalization,
    maxNewTokens: entry.generation_kwargs?.max_new_tokens,
  };
  return {
    label: entry.label,
    type: entry.icl_task_type,
    shots,
    categories: entry.has_categories ?? false,
    prompt: given<PromptSettings>({
      promptString: entry.prompt_string,
      exampleDelimiter: entry.example_delimiter,
      continuationDelimiter: entry.continuation_delimiter,
      prelimiter,
      cotDelimiter: entry.cot_delimiter,
      stripDataset: entry.strip_dataset,
      fewshotSeed: entry.fewshot_random_seed,
    }),
    generation: given<GenerationSettings>(generation),
    datasetUri: entry.dataset_uri,
    path: records,
  };
}

async function findRecords(uri: string, folder: string): Promise<string | undefined> {
  const short = uri.replace(/^(?:scripts\/)?eval\/local_data\//, '');
  for (const name of [uri, `${uri}.gz`, short, `${short}.gz`]) {
    const path = resolve(folder, name);
    if (!name.includes('\0') && (await exists(path))) return path;
  }
  return undefined;
}

/** The tasks of these labels or keys (`arc_challenge/25-shot`), in the file's order. Throws where one is not there. */
export function selectTasks(specs: readonly TaskSpec[], names: readonly string[]): TaskSpec[] {
  const problems = new Problems();
  const names_ = (spec: TaskSpec) => [spec.label, taskKey(spec)];
  const known = new Set(specs.flatMap(names_));
  for (const name of names) {
    if (!known.has(name))
      problems.add(
        name,
        `no such task; there are ${[...new Set(specs.map(({ label }) => label))].join(', ')}`,
      );
  }
  problems.throwIfAny();
  return specs.filter(spec => names_(spec).some(name => names.includes(name)));
}

/** Keys of the tasks whose files are not there. */
export function missingTasks(specs: readonly TaskSpec[]): string[] {
  return specs.filter(({ path }) => path === undefined).map(taskKey);
}

/** False, after reporting it, if the file of a task's records is not there. */
export function requireRecords(spec: TaskSpec, problems: Problems): boolean {
  if (spec.path !== undefined) return true;
  problems.add(
    spec.datasetUri,
    `no such file, which ${taskKey(spec)} needs: fetch it, choose other tasks, or name a reduced set`,
  );
  return false;
}

/** Reads the records of tasks, every file once. Throws one `InputError` with the faults of all files and the files that are not there. */
export async function loadTasks(specs: readonly TaskSpec[], signal?: AbortSignal): Promise<LoadedTask[]> {
  const problems = new Problems();
  const files = new Map<
    string,
    Omit<LoadedTask['source'], 'path'> & { readonly records: readonly unknown[] }
  >();
  const loaded: LoadedTask[] = [];
  for (const spec of specs) {
    const { path, type, categories } = spec;
    if (!requireRecords(spec, problems) || path === undefined) continue;
    const id = JSON.stringify([path, type, categories]);
    try {
      const options = { categories, ...(signal && { signal }) };
      const file = files.get(id) ?? {
        records: await readRecordFile(path, type, options),
        sha256: await sha256File(path),
      };
      files.set(id, file);
      loaded.push({ task: taskOf(spec, file.records), source: { path, sha256: file.sha256 } });
    } catch (error) {
      if (!(error instanceof InputError) || isAbort(error)) throw error;
      for (const { where, message } of error.problems) problems.add(where, message);
    }
  }
  problems.throwIfAny();
  return loaded;
}

/** `records` were read as records of the task's own type. */
function taskOf(
  { label, type, shots, categories, prompt, generation }: TaskSpec,
  records: readonly unknown[],
): IclTask {
  const settings = { ...DEFAULT_PROMPT, ...prompt };
  return {
    ...{ label, type, shots, categories, prompt: settings, generation },
    records: records as readonly RecordTypes[TaskType][],
  } as IclTask;
}
