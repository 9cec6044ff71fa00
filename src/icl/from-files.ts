/** Models and tasks from files, ready for `evaluateIcl`. */
import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { type Environment, hashOf, InputError, Problems, sha256, unreadable } from '../base/index.ts';
import { readMptDirectory } from '../models/index.ts';
import { Tokenizer } from '../tokenizer/index.ts';
import type { IclModel } from './evaluate.ts';
import { type IclTask, taskKey } from './settings.ts';
import { loadTasks, readTaskFile, requireRecords, selectTasks, type TaskSpec } from './task-file.ts';

export interface OpenedModel {
  readonly model: IclModel;
  readonly tokenizer: Tokenizer;
  /** Of everything about the model that decides the numbers. */
  readonly sha256: string;
}

/** Opens a model directory with its tokenizer. */
export async function openIclModel(path: string): Promise<OpenedModel> {
  const { config, weights, tokenizerPath } = await readMptDirectory(path);
  if (tokenizerPath === undefined)
    throw new InputError(path, 'has no tokenizer.json, which prompts are encoded with');
  const hashes = [...weights].map(([name, { shape, data }]) => [
    name,
    shape,
    sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ]);
  const tokenizer = await Tokenizer.fromFile(tokenizerPath);
  return { model: { config, weights }, tokenizer, sha256: hashOf([config, hashes]) };
}

export interface TaskChoice {
  /** Labels or keys; all of the file if not said. */
  readonly only?: readonly string[] | undefined;
  /** Examples before each question, in place of what the file says. */
  readonly shots?: number | undefined;
  /** Of drawing examples and items, for tasks that name no seed. */
  readonly seed?: number;
  readonly environment?: Environment;
}

/**
 * The tasks of a file, or of a folder that holds one, with their records. Throws an `InputError` where the records of one are not there, or,
 * for a folder, lie outside of it: whoever names a folder counts on it being all that is read.
 */
export async function readTasks(
  path: string,
  { only, shots, seed, environment = {} }: TaskChoice = {},
  signal?: AbortSignal,
): Promise<IclTask[]> {
  const chosen = (await chooseTasks(path, only, environment)).map(spec => ({
    ...spec,
    shots: shots ?? spec.shots,
    prompt: { ...(seed !== undefined && { fewshotSeed: seed }), ...spec.prompt },
  }));
  const different = new Map(chosen.map(spec => [taskKey(spec), spec]));
  return (await loadTasks([...different.values()], signal)).map(({ task }) => task);
}

/** Throws an `InputError` where `readTasks` would for want of tasks or files; reads no records. */
export async function requireTasks(
  path: string,
  { only, environment = {} }: Pick<TaskChoice, 'only' | 'environment'> = {},
): Promise<void> {
  const problems = new Problems();
  for (const spec of await chooseTasks(path, only, environment)) requireRecords(spec, problems);
  problems.throwIfAny();
}

async function chooseTasks(
  path: string,
  only: readonly string[] | undefined,
  environment: Environment,
): Promise<TaskSpec[]> {
  const file = await taskFileOf(path);
  const all = await readTaskFile(file, environment);
  const chosen = only ? selectTasks(all, only) : all;
  if (file !== path) requireInside(chosen, path, file);
  return chosen;
}

/** A file as it is; of a folder its `tasks.yaml`, or the only `tasks*.yaml` (llm-foundry's are called `tasks_v0.3.yaml`). */
async function taskFileOf(path: string): Promise<string> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!found.isDirectory()) return path;
  const names = (await readdir(path)).filter(name => /^tasks.*\.ya?ml$/.test(name)).sort();
  const name = names.find(one => one === 'tasks.yaml') ?? (names.length === 1 ? names[0] : undefined);
  if (name !== undefined) return join(path, name);
  const message =
    names.length === 0 ? 'has no tasks.yaml' : `has ${names.join(', ')}: name the one that is meant`;
  throw new InputError(path, message);
}

function requireInside(specs: readonly TaskSpec[], folder: string, file: string): void {
  const problems = new Problems();
  for (const spec of specs)
    if (spec.path !== undefined && !spec.path.startsWith(join(folder, sep)))
      problems.add(file, `${taskKey(spec)}: ${spec.datasetUri} leaves the folder ${folder}`);
  problems.throwIfAny();
}

/** Short names: the label; where several have it, `label/3-shot`. */
export function taskNames(tasks: readonly Pick<IclTask, 'label' | 'shots'>[]): string[] {
  const labels = tasks.map(({ label }) => label);
  return tasks.map(task =>
    labels.indexOf(task.label) === labels.lastIndexOf(task.label) ? task.label : taskKey(task),
  );
}
