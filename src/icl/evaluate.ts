/** In-context evaluation of a decoder: tasks in, scores out. */
import { InputError, type Progress, silentProgress } from '../base/index.ts';
import { judge } from './answers.ts';
import { generateGreedily } from './generate.ts';
import { argmax, type ItemResult, scoreItems, type TaskScore } from './measures.ts';
import { type IclModel, loadIclModel } from './model.ts';
import { buildGauntletPrompts, buildPrompts, type Prompt } from './prompts.ts';
import { type IclRecord, readRecords } from './records.ts';
import { Scorer, type ScorerOptions, type ScorerWork } from './scorer.ts';
import { sequencesOf } from './sequences.ts';
import { byCategory, seededShots } from './shots.ts';
import type { IclTask, TaskType } from './tasks.ts';

export interface IclOptions extends ScorerOptions {
  /** Items of each task, the first ones; all of them if not said. */
  readonly limit?: number | undefined;
  /** Of drawing examples. */
  readonly seed?: number;
  /** Prompts, examples and judgement of answers as in llm-foundry's Eval Gauntlet, quirks included. */
  readonly gauntlet?: boolean;
  /** Most tokens of context and answer together; the model's own length if not said. */
  readonly window?: number | undefined;
}

export const DEFAULT_ICL = { seed: 1234, gauntlet: false } as const;

export interface IclEffects {
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

export interface IclTaskResult extends TaskScore {
  readonly name: string;
  readonly label: string;
  readonly type: TaskType;
  readonly shots: number;
}

export interface IclResult {
  readonly model: string;
  readonly tasks: readonly IclTaskResult[];
}

/** One task's scores and the items behind them. */
export interface EvaluatedTask {
  readonly result: IclTaskResult;
  readonly items: readonly ItemResult[];
}

/** Asks a model (or the directory of one) every question of every task. */
export async function evaluateIcl(
  model: string | IclModel,
  tasks: readonly IclTask[],
  options: IclOptions = {},
  effects: IclEffects = {},
): Promise<IclResult> {
  const evaluator = await IclEvaluator.open(model, options);
  try {
    const results: IclTaskResult[] = [];
    for (const task of tasks) results.push((await evaluator.evaluate(task, effects)).result);
    return { model: evaluator.model.name, tasks: results };
  } finally {
    await evaluator.release();
  }
}

/** Items that are read, tokenised and scored together: enough to batch by length, few enough to show progress. */
const ITEMS_AT_ONCE = 256;
const LEAST_WINDOW = 4;

/** A question with its candidates as texts. */
interface Item {
  readonly record: IclRecord;
  readonly prompts: readonly Prompt[];
}

/** A question with its candidates as tokens. */
interface TokenisedItem extends Item {
  readonly contexts: readonly Uint32Array[];
  readonly answers: readonly Uint32Array[];
}

/** A model that stays loaded from task to task. */
export class IclEvaluator {
  readonly model: IclModel;
  readonly window: number;
  readonly #scorer: Scorer;
  readonly #options: IclOptions & typeof DEFAULT_ICL;

  private constructor(model: IclModel, scorer: Scorer, window: number, options: IclOptions) {
    this.model = model;
    this.window = window;
    this.#scorer = scorer;
    this.#options = { ...DEFAULT_ICL, ...options } as IclOptions & typeof DEFAULT_ICL;
  }

  static async open(model: string | IclModel, options: IclOptions = {}): Promise<IclEvaluator> {
    const loaded = typeof model === 'string' ? await loadIclModel(model) : model;
    const { config } = loaded;
    const window = options.window ?? config.maxLength;
    if (window < LEAST_WINDOW)
      throw new InputError('window', `${window} tokens are too few: at least ${LEAST_WINDOW}`);
    if (config.positions === 'learned' && window > config.maxLength)
      throw new InputError('window', `learned positions end at ${config.maxLength} tokens, not ${window}`);
    return new IclEvaluator(loaded, await Scorer.create(config, loaded.weights, options), window, options);
  }

  get work(): ScorerWork {
    return this.#scorer.work;
  }

  /** Reads a task's records and asks them. */
  async evaluate(task: IclTask, effects: IclEffects = {}): Promise<EvaluatedTask> {
    return this.evaluateRecords(task, await readRecords(task, effects.signal), effects);
  }

  /** The same with records in memory: at least two. */
  async evaluateRecords(
    task: IclTask,
    records: readonly IclRecord[],
    { signal, progress = silentProgress }: IclEffects = {},
  ): Promise<EvaluatedTask> {
    const questions = this.#questions(task, records);
    const shown = progress.start(task.name, questions.length, 'items');
    const generation = await this.#generationTokens(task, records);
    const items: ItemResult[] = [];
    for (let from = 0; from < questions.length; from += ITEMS_AT_ONCE) {
      const some = await this.#tokenise(questions.slice(from, from + ITEMS_AT_ONCE));
      items.push(...(await this.#answer(task, some, generation, signal)));
      shown.update(items.length);
    }
    shown.finish();
    const { name, label, type, shots } = task;
    return { result: { name, label, type, shots, ...scoreItems(items) }, items };
  }

  /** Questions in the order of the file, with their examples from all records of the category. */
  #questions(task: IclTask, records: readonly IclRecord[]): Item[] {
    const { gauntlet, seed, limit = records.length } = this.#options;
    const asked = new Set(records.slice(0, limit));
    const build = gauntlet ? buildGauntletPrompts : buildPrompts;
    const draw = seededShots(task.seed ?? seed, task.name, task.shots);
    const items = byCategory(records).flatMap(pool =>
      pool.flatMap((record, i) =>
        asked.has(record) ? [{ record, prompts: build(task, record, draw(pool, i)) }] : [],
      ),
    );
    return items.sort((a, b) => a.record.line - b.record.line);
  }

  /** Tokenises each different text once. A context of no tokens becomes the end-of-text token, which divides documents in training. */
  async #tokenise(items: readonly Item[]): Promise<TokenisedItem[]> {
    const { tokenizer } = this.model;
    const prompts = items.flatMap(item => item.prompts);
    const texts = [...new Set(prompts.flatMap(({ context, answer }) => [...context, answer]))];
    const { ids, offsets } = await tokenizer.encodeBatch(texts);
    const places = new Map(texts.map((text, i) => [text, i]));
    const tokensOf = (text: string) => {
      const i = places.get(text)!;
      return ids.subarray(offsets[i], offsets[i + 1]);
    };
    return items.map(item => ({
      ...item,
      contexts: item.prompts.map(({ context }) => {
        const tokens = context.flatMap(text => [...tokensOf(text)]);
        return Uint32Array.from(tokens.length > 0 ? tokens : [tokenizer.eosId]);
      }),
      answers: item.prompts.map(({ answer }) => tokensOf(answer)),
    }));
  }

  async #answer(
    task: IclTask,
    items: readonly TokenisedItem[],
    generationTokens: number,
    signal: AbortSignal | undefined,
  ): Promise<ItemResult[]> {
    const candidates = items.flatMap(({ contexts, answers }) =>
      contexts.map((context, i) => sequencesOf(context, answers[i]!, this.window)),
    );
    const scores = await this.#scorer.score(candidates.flat(), signal);
    const texts = await this.#generate(task, items, generationTokens, signal);
    let [candidate, at] = [0, 0];
    return items.map((item, i) => {
      const own = item.contexts.map(() => {
        const pieces = scores.slice(at, at + candidates[candidate]!.length);
        at += candidates[candidate++]!.length;
        return {
          logProb: pieces.reduce((sum, { logProb }) => sum + logProb, 0),
          greedy: pieces.every(({ greedy }) => greedy),
        };
      });
      const result = scoredItem(task.type, item, own, this.window);
      const text = texts?.[i];
      if (text === undefined) return result;
      const { correct, exact } = judge(text, item.record.accepted, task, this.#options.gauntlet);
      return { ...result, correct, variants: { exactMatch: exact }, generated: text };
    });
  }

  #generate(
    task: IclTask,
    items: readonly TokenisedItem[],
    maxTokens: number,
    signal: AbortSignal | undefined,
  ): Promise<string[]> | undefined {
    if (task.type !== 'generation_task_with_answers') return undefined;
    const room = this.window - maxTokens;
    const contexts = items.map(item => item.contexts[0]!.slice(-room));
    const { stopStrings } = task;
    const options = { maxTokens, window: this.window, stopStrings, signal };
    return generateGreedily(this.#scorer, this.model.tokenizer, contexts, options);
  }

  /** Tokens of the longest accepted answer, with 10 more where a chain of thought comes first; at most half of the window. */
  async #generationTokens(task: IclTask, records: readonly IclRecord[]): Promise<number> {
    if (task.type !== 'generation_task_with_answers') return 0;
    const texts = records.flatMap(({ answers, accepted }) => [...answers, ...accepted]);
    const { offsets } = await this.model.tokenizer.encodeBatch(texts.map(text => ` ${text}`));
    const longest = texts.reduce((most, _, i) => Math.max(most, offsets[i + 1]! - offsets[i]!), 1);
    return Math.min(longest + (task.cotDelimiter === '' ? 0 : 10), Math.floor(this.window / 2));
  }

  release(): Promise<void> {
    return this.#scorer.release();
  }
}

/** Everything about an item that follows from the log-probabilities of its candidates. */
function scoredItem(
  type: TaskType,
  { record, prompts, contexts, answers }: TokenisedItem,
  scores: readonly { readonly logProb: number; readonly greedy: boolean }[],
  window: number,
): ItemResult {
  const { line, category, gold } = record;
  const logProbs = scores.map(({ logProb }) => logProb);
  const answerTokens = answers.map(tokens => tokens.length);
  const chosenBy = (sizes: readonly number[]) => argmax(logProbs.map((logProb, i) => logProb / sizes[i]!));
  const several = logProbs.length > 1;
  const chosen = several ? chosenBy(answerTokens) : -1;
  const characters = prompts.map(({ answer }) => [...answer.trim()].length);
  const variants: Record<string, boolean> =
    type === 'multiple_choice'
      ? { summed: argmax(logProbs) === gold, perCharacter: chosenBy(characters) === gold }
      : {};
  return {
    line,
    category,
    gold,
    chosen,
    correct: several ? chosen === gold : scores[0]!.greedy,
    variants,
    chance: several ? 1 / logProbs.length : 0,
    logProbs,
    answerTokens,
    bits: -logProbs[gold]! / Math.LN2,
    bytes: Buffer.byteLength(prompts[gold]!.answer),
    trimmed: contexts.some((context, i) => context.length + answers[i]!.length > window),
  };
}
