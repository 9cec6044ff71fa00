/** In-context evaluation of a model: the core, without files. */
import { compact, InputError, type Progress, silentProgress } from '../base/index.ts';
import type { Tensor } from '../graph/index.ts';
import { type MptConfig, requireLength, requireVocabulary } from '../models/index.ts';
import type { Tokenizer } from '../tokenizer/index.ts';
import { evaluateItems, type ItemContext } from './items.ts';
import { type IclItem, type IclScores, type IclTaskResult, overCategories, scoresOf } from './result.ts';
import { Scorer, type ScorerOptions, type ScorerWork } from './scorer.ts';
import { poolsOf } from './select.ts';
import { type IclTask, type PromptStyle, taskKey } from './settings.ts';

export interface IclModel {
  readonly config: MptConfig;
  readonly weights: ReadonlyMap<string, Tensor>;
}

export interface IclOptions extends ScorerOptions {
  /** How prompts are built (default `isoflop`). */
  readonly style?: PromptStyle;
  /** Most items of a task. Default: all. */
  readonly limit?: number;
  /** Most tokens of prompt and answer together (default: the model's sequence length). */
  readonly contextTokens?: number;
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
  /** Called with every task as it is done, items in the order of the records. */
  readonly onTask?: (result: IclTaskResult, items: readonly IclItem[]) => void | Promise<void>;
}

export interface IclResult {
  readonly tasks: readonly IclTaskResult[];
  readonly work: ScorerWork;
}

/**
 * Evaluates tasks one after the other. Equal arguments give equal prompts and, on one machine at one thread count, equal numbers; batch size
 * changes a log-likelihood by rounding only. Throws an `InputError` where a task cannot be evaluated as asked.
 */
export async function evaluateIcl(
  model: IclModel,
  tokenizer: Tokenizer,
  tasks: readonly IclTask[],
  options: IclOptions = {},
): Promise<IclResult> {
  const { threads, provider, batchTokens } = options;
  const contextTokens = checkContext(model.config, options.contextTokens);
  checkFit(model.config, tokenizer, tasks);
  const scorer = await Scorer.create(model.config, model.weights, {
    ...(threads !== undefined && { threads }),
    ...(provider !== undefined && { provider }),
    ...(batchTokens !== undefined && { batchTokens }),
  });
  try {
    const results: IclTaskResult[] = [];
    for (const task of tasks)
      results.push(await evaluateTask(scorer, tokenizer, task, contextTokens, options));
    return { tasks: results, work: scorer.work };
  } finally {
    await scorer.release();
  }
}

function checkContext(config: MptConfig, contextTokens: number = config.maxLength): number {
  if (!Number.isSafeInteger(contextTokens) || contextTokens < 2)
    throw new InputError('context', `is ${contextTokens} tokens, expected a whole number of at least 2`);
  requireLength(config, contextTokens, 'context');
  return contextTokens;
}

function checkFit(config: MptConfig, tokenizer: Tokenizer, tasks: readonly IclTask[]): void {
  requireVocabulary(config, tokenizer.vocabSize, 'tokenizer');
  const keys = new Set<string>();
  for (const task of tasks) {
    const key = taskKey(task);
    if (keys.has(key)) throw new InputError(key, 'stands twice among the tasks');
    keys.add(key);
  }
}

async function evaluateTask(
  scorer: Scorer,
  tokenizer: Tokenizer,
  task: IclTask,
  contextTokens: number,
  options: IclOptions,
): Promise<IclTaskResult> {
  const { style = 'isoflop', limit, progress = silentProgress, signal } = options;
  const pools = poolsOf(task, style, limit);
  const total = pools.reduce((sum, { selected }) => sum + selected.length, 0);
  const line = progress.start(taskKey(task), total, 'items');
  const context: ItemContext = { scorer, tokenizer, task, style, contextTokens, signal };
  const parts: { readonly name: string | undefined; readonly items: readonly IclItem[] }[] = [];
  let done = 0;
  for (const pool of pools) {
    const items = await evaluateItems(context, pool, count => {
      done += count;
      line.update(done, `${compact(scorer.work.tokens)} tokens`);
    });
    parts.push({ name: pool.category, items });
  }
  line.finish();
  const items = parts.flatMap(part => part.items).sort((a, b) => a.index - b.index);
  const categories = parts.map(part => ({ name: part.name ?? '', ...scoresOf(part.items) }));
  const result = resultOf(task, items, task.categories ? categories : undefined);
  await options.onTask?.(result, items);
  return result;
}

function resultOf(
  task: IclTask,
  items: readonly IclItem[],
  categories: readonly (IclScores & { readonly name: string })[] | undefined,
): IclTaskResult {
  return {
    label: task.label,
    type: task.type,
    shots: task.shots,
    records: task.records.length,
    ...(categories ? overCategories(categories) : scoresOf(items)),
    trimmedItems: items.filter(({ trimmed }) => trimmed).length,
    cutItems: items.filter(({ cut }) => cut).length,
    ...(categories && { categories }),
  };
}
