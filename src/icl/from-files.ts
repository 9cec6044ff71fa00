/** Models and tasks from files, ready for `evaluateIcl`. */
import { type Environment, hashOf, InputError, sha256 } from '../base/index.ts';
import { readMptDirectory } from '../models/index.ts';
import { Tokenizer } from '../tokenizer/index.ts';
import type { IclModel } from './evaluate.ts';
import { type IclTask, taskKey } from './settings.ts';
import { loadTasks, readTaskFile, selectTasks } from './task-file.ts';

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

/** The tasks of a file with their records. Throws an `InputError` where the records of one are not there. */
export async function readTasks(
  path: string,
  { only, shots, seed, environment = {} }: TaskChoice = {},
  signal?: AbortSignal,
): Promise<IclTask[]> {
  const all = await readTaskFile(path, environment);
  const chosen = (only ? selectTasks(all, only) : all).map(spec => ({
    ...spec,
    shots: shots ?? spec.shots,
    prompt: { ...(seed !== undefined && { fewshotSeed: seed }), ...spec.prompt },
  }));
  const different = new Map(chosen.map(spec => [taskKey(spec), spec]));
  return (await loadTasks([...different.values()], signal)).map(({ task }) => task);
}

/** Short names: the label; where several have it, `label/3-shot`. */
export function taskNames(tasks: readonly Pick<IclTask, 'label' | 'shots'>[]): string[] {
  const labels = tasks.map(({ label }) => label);
  return tasks.map(task =>
    labels.indexOf(task.label) === labels.lastIndexOf(task.label) ? task.label : taskKey(task),
  );
}
