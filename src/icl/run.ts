/** In-context evaluation from files to files, task by task, so that an interrupted run goes on with the next task. */
import { join, resolve } from 'node:path';
import {
  canonicalJson,
  defaultThreads,
  type Environment,
  exists,
  hashOf,
  InputError,
  type Progress,
  prettyJson,
  readInputJson,
  sha256,
  writeFileAtomic,
} from '../base/index.ts';
import type { Tokenizer } from '../tokenizer/index.ts';
import { evaluateIcl, type IclModel, type IclOptions } from './evaluate.ts';
import { openIclModel } from './from-files.ts';
import {
  checkGauntlet,
  type Gauntlet,
  type GauntletResult,
  readGauntlet,
  scoreGauntlet,
} from './gauntlet.ts';
import { lmEvalResults } from './lm-eval.ts';
import type { IclItem, IclTaskResult } from './result.ts';
import type { ScorerWork } from './scorer.ts';
import { type IclTask, type PromptStyle, taskKey } from './settings.ts';
import {
  type LoadedTask,
  loadTasks,
  missingTasks,
  readTaskFile,
  selectTasks,
  type TaskSpec,
} from './task-file.ts';

export interface IclRunOptions
  extends Pick<IclOptions, 'style' | 'limit' | 'contextTokens' | 'threads' | 'provider' | 'batchTokens'> {
  /** Labels or keys of the tasks to run. Default: all of the file. */
  readonly tasks?: readonly string[];
  /** A gauntlet file. */
  readonly gauntlet?: string;
  /** Leave out tasks and benchmarks that are not there, and call the average so. */
  readonly reduced?: string;
  /** Name of the model in the results (default: its folder). */
  readonly name?: string;
}

export interface IclEffects {
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly environment: Environment;
}

/** `results.json`. */
export interface IclResultsFile {
  readonly kind: 'isoflop-icl';
  readonly version: number;
  readonly model: { readonly name: string; readonly sha256: string; readonly tokenizerSha256: string };
  readonly settings: {
    readonly style: PromptStyle;
    readonly limit: number | null;
    readonly contextTokens: number;
  };
  readonly tasks: readonly TaskReport[];
  /** Tasks of the file that were left out because their records are not there. */
  readonly missingTasks: readonly string[];
  readonly gauntlet: GauntletResult | null;
}

/** A task's result and everything that it depends on besides the model and the settings. */
export interface TaskReport extends IclTaskResult {
  readonly source: { readonly file: string; readonly sha256: string };
  readonly prompt: IclTask['prompt'];
  readonly generation: IclTask['generation'];
}

export interface IclRun {
  readonly results: IclResultsFile;
  /** Of this call: tasks found done cost nothing. */
  readonly work: ScorerWork;
  readonly cached: readonly string[];
}

/** Goes up whenever the same input would give other numbers. */
const VERSION = 1;

/**
 * Evaluates a model directory on a task file. Writes into `output`:
 *
 *     results.json        everything (`IclResultsFile`)
 *     lm-eval.json        the same for readers of lm-evaluation-harness
 *     tasks/KEY.json      one task, written when it is done
 *     items/KEY.jsonl     its items
 *
 * Task, record and gauntlet files are read and checked whole before the model does anything. The same call goes on after an interruption.
 */
export async function runIcl(
  modelFolder: string,
  taskFile: string,
  output: string,
  options: IclRunOptions,
  effects: IclEffects,
): Promise<IclRun> {
  const { specs, missing, gauntlet } = await readPlan(taskFile, options, effects.environment);
  const tasks = await loadTasks(specs, effects.signal);
  const { model, tokenizer, sha256: modelHash } = await openIclModel(modelFolder);
  const { style = 'isoflop', limit, contextTokens = model.config.maxLength } = options;
  const settings = { style, limit: limit ?? null, contextTokens };
  const identity = {
    name: options.name ?? modelName(modelFolder),
    sha256: modelHash,
    tokenizerSha256: tokenizer.hash,
  };
  const store = new TaskStore(output, hashOf([VERSION, modelHash, tokenizer.hash, settings]));
  const done = new Map<string, TaskReport>();
  for (const task of tasks) {
    const report = await store.find(task);
    if (report) done.set(taskKey(task.task), report);
  }
  const cached = [...done.keys()];
  const open = new Map(
    tasks.filter(({ task }) => !done.has(taskKey(task))).map(one => [taskKey(one.task), one]),
  );
  const work = await evaluateOpen(model, tokenizer, open, options, effects, async (task, result, items) => {
    done.set(taskKey(result), await store.save(task, result, items));
  });
  const reports = tasks.map(({ task }) => done.get(taskKey(task))!);
  const results: IclResultsFile = {
    kind: 'isoflop-icl',
    version: VERSION,
    model: identity,
    settings,
    tasks: reports,
    missingTasks: missing,
    gauntlet: gauntlet ? scoreGauntlet(gauntlet, reports, options.reduced) : null,
  };
  const foreign = lmEvalResults(identity.name, reports, { version: VERSION, limit: settings.limit });
  await writeFileAtomic(join(output, 'lm-eval.json'), prettyJson(foreign));
  await writeFileAtomic(join(output, 'results.json'), prettyJson(results));
  return { results, work, cached };
}

interface Plan {
  readonly specs: readonly TaskSpec[];
  readonly missing: readonly string[];
  readonly gauntlet: Gauntlet | undefined;
}

async function readPlan(taskFile: string, options: IclRunOptions, environment: Environment): Promise<Plan> {
  const { reduced } = options;
  const all = await readTaskFile(taskFile, environment);
  const asked = options.tasks ? selectTasks(all, options.tasks) : all;
  const missing = missingTasks(asked);
  const specs = reduced === undefined ? asked : asked.filter(({ path }) => path !== undefined);
  if (specs.length === 0) throw new InputError(taskFile, 'none of the tasks has its records');
  const gauntlet =
    options.gauntlet === undefined ? undefined : await readGauntlet(options.gauntlet, environment);
  if (gauntlet && (reduced !== undefined || missing.length === 0))
    checkGauntlet(gauntlet, specs.map(taskKey), reduced);
  return { specs, missing, gauntlet };
}

/** The last two parts of the path: `wordnet/tokens-3000320`. */
function modelName(folder: string): string {
  return resolve(folder).split(/[\\/]/).filter(Boolean).slice(-2).join('/');
}

async function evaluateOpen(
  model: IclModel,
  tokenizer: Tokenizer,
  open: ReadonlyMap<string, LoadedTask>,
  options: IclRunOptions,
  { progress, signal, environment }: IclEffects,
  onTask: (task: LoadedTask, result: IclTaskResult, items: readonly IclItem[]) => Promise<void>,
): Promise<ScorerWork> {
  if (open.size === 0) return { tokens: 0, paddedTokens: 0 };
  const {
    style,
    limit,
    contextTokens,
    threads = defaultThreads(environment),
    provider,
    batchTokens,
  } = options;
  const { work } = await evaluateIcl(
    model,
    tokenizer,
    [...open.values()].map(({ task }) => task),
    {
      ...(style !== undefined && { style }),
      ...(limit !== undefined && { limit }),
      ...(contextTokens !== undefined && { contextTokens }),
      ...(provider !== undefined && { provider }),
      ...(batchTokens !== undefined && { batchTokens }),
      ...{ threads, progress, signal },
      onTask: (result, items) => onTask(open.get(taskKey(result))!, result, items),
    },
  );
  return work;
}

/** Finished tasks in a results folder. */
class TaskStore {
  readonly #folder: string;
  /** Hash of model, tokenizer and settings. */
  readonly #run: string;

  constructor(folder: string, run: string) {
    this.#folder = folder;
    this.#run = run;
  }

  #path(kind: 'tasks' | 'items', task: LoadedTask): string {
    const { label, shots } = task.task;
    return join(this.#folder, kind, `${label}_${shots}-shot.${kind === 'tasks' ? 'json' : 'jsonl'}`);
  }

  #identity({ task, source }: LoadedTask): string {
    const { records: _, ...settings } = task;
    return hashOf([this.#run, settings, source.sha256]);
  }

  /** The report of a task that is done. Throws where there is one of another model, other settings or other records. */
  async find(task: LoadedTask): Promise<TaskReport | undefined> {
    const path = this.#path('tasks', task);
    if (!(await exists(path))) return undefined;
    const found = (await readInputJson(path, 16 << 20)) as {
      identity?: unknown;
      report?: TaskReport;
      sha256?: unknown;
    };
    if (found.identity !== this.#identity(task))
      throw new InputError(
        path,
        'was made by another model, with other settings or from other records: remove it, or give another output folder',
      );
    if (found.report === undefined || found.sha256 !== sha256(canonicalJson(found.report)))
      throw new InputError(path, 'is damaged: remove it');
    return found.report;
  }

  /** Writes the items, then the report, whose presence says that the task is done. */
  async save(task: LoadedTask, result: IclTaskResult, items: readonly IclItem[]): Promise<TaskReport> {
    const { path, sha256: hash } = task.source;
    const { prompt, generation } = task.task;
    const file = path.split(/[\\/]/).at(-1)!;
    const report: TaskReport = { ...result, source: { file, sha256: hash }, prompt, generation };
    const lines = items.map(item => `${JSON.stringify(item)}\n`).join('');
    await writeFileAtomic(this.#path('items', task), lines);
    const manifest = { identity: this.#identity(task), report, sha256: sha256(canonicalJson(report)) };
    await writeFileAtomic(this.#path('tasks', task), prettyJson(manifest));
    return report;
  }
}
