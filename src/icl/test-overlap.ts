/** Collections and tasks together, looked for in pretraining text. */
import type { Progress } from '../base/index.ts';
import {
  collectionSets,
  measureOverlap,
  type Overlap,
  type OverlapSettings,
  openTexts,
  startReading,
  type TextFormatOptions,
} from '../data/index.ts';
import { readTasks } from './from-files.ts';
import { taskSets } from './test-sets.ts';

/** What models are tested on. */
export interface TestData {
  /** BEIR folders, what to call them, and the split whose judged queries count. */
  readonly collections: readonly { readonly name: string; readonly folder: string; readonly split: string }[];
  /** A task file, or the folder that holds it. */
  readonly taskFile?: string | undefined;
  /** Labels or keys of tasks of that file. Default: all. */
  readonly tasks?: readonly string[] | undefined;
}

export interface TestOverlapOptions extends Partial<OverlapSettings>, TextFormatOptions {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** How much of the test data stands in a text, named as `openTexts` takes it. Throws what reading throws. */
export async function measureTestOverlap(
  text: readonly string[],
  { collections, taskFile, tasks: only }: TestData,
  options: TestOverlapOptions,
): Promise<Overlap> {
  const tasks = taskFile === undefined ? [] : await readTasks(taskFile, { only }, options.signal);
  const sets = [
    ...collections.flatMap(({ name, folder, split }) => collectionSets(name, folder, split)),
    ...taskSets(tasks),
  ];
  const sources = await openTexts(text, options);
  const task = startReading(options.progress, 'overlap', sources);
  const overlap = await measureOverlap(sources, sets, { ...options, onRead: bytes => task.update(bytes) });
  task.finish();
  return overlap;
}
