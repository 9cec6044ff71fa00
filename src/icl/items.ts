/** The items of one pool, evaluated in chunks so that memory does not grow with the task. */
import { InputError } from '../base/index.ts';
import type { Tokenizer } from '../tokenizer/index.ts';
import { type EncodedOption, encodeContexts, encodePrompts, TextIds } from './encode.ts';
import { generate } from './generate.ts';
import { matchAnswer } from './match.ts';
import { buildPrompt, hasWorkedSolutions, type Prompt, type PromptContext, solutionText } from './prompt.ts';
import type { GenerationRecord, IclRecord } from './records.ts';
import type { IclItem, OptionScore } from './result.ts';
import type { Score, ScoreEffects, Scorer } from './scorer.ts';
import type { Pool } from './select.ts';
import {
  DEFAULT_GENERATION,
  DEFAULT_PROMPT,
  type GenerationSettings,
  type IclTask,
  type PromptStyle,
  taskKey,
} from './settings.ts';

export interface ItemContext {
  readonly scorer: Scorer;
  readonly tokenizer: Tokenizer;
  readonly task: IclTask;
  readonly style: PromptStyle;
  readonly contextTokens: number;
  readonly signal: AbortSignal | undefined;
}

/** Items whose prompts are in memory at once, and sorted by length together. */
const CHUNK = 512;

/** The selected items of a pool. `onItems` hears how many have just been done. */
export async function evaluateItems(
  context: ItemContext,
  pool: Pool,
  onItems: (count: number) => void,
): Promise<IclItem[]> {
  const prompting = promptContext(context);
  const answers = await answersOf(context, prompting);
  const items: IclItem[] = [];
  for (let from = 0; from < pool.selected.length; from += CHUNK) {
    const members = pool.selected.slice(from, from + CHUNK);
    const prompts = members.map(member => promptOf(context.task, pool, member, prompting));
    const places = members.map(member => pool.places[member]!);
    items.push(...(await evaluateChunk(context, prompts, places, answers)));
    onItems(members.length);
  }
  return items;
}

function promptContext({ task, style }: ItemContext): PromptContext {
  return {
    style,
    settings: { ...DEFAULT_PROMPT, ...task.prompt },
    workedSolutions: hasWorkedSolutions(task),
  };
}

function promptOf(task: IclTask, pool: Pool, member: number, prompting: PromptContext): Prompt {
  const records: readonly IclRecord[] = task.records;
  const examples = pool.examples(member).map(place => records[place]!);
  return buildPrompt(task.type, records[pool.places[member]!]!, examples, prompting);
}

async function evaluateChunk(
  context: ItemContext,
  prompts: readonly Prompt[],
  places: readonly number[],
  answers: Answers | undefined,
): Promise<IclItem[]> {
  const { scorer, tokenizer, task, style, contextTokens, signal } = context;
  const name = taskKey(task);
  const effects: ScoreEffects = { signal };
  const encoded = await encodePrompts(prompts, tokenizer, { style, contextTokens, name });
  const scores = await scorer.score(encoded, effects);
  const written = answers && (await write(context, prompts, answers, effects));
  return places.map((index, i) => {
    const { category } = task.records[index]!;
    const base = {
      index,
      ...(task.categories && category !== undefined && { category }),
      options: scores[i]!.map((score, j) => optionScore(score, encoded[i]![j]!)),
      gold: prompts[i]!.gold,
      trimmed: encoded[i]!.some(({ trimmed }) => trimmed) || written?.[i]?.trimmed === true,
      cut: encoded[i]!.some(({ cut }) => cut),
    };
    if (written) return { ...base, ...judged(context, written[i]!.output, index, answers!) };
    return { ...base, ...verdict(task, base, scores[i]!) };
  });
}

function optionScore({ logLikelihood, tokens }: Score, { bytes }: EncodedOption): OptionScore {
  return { logLikelihood, tokens, bytes };
}

type Verdict = Pick<IclItem, 'correct' | 'correctPerToken' | 'correctPerByte'>;

function verdict(
  task: IclTask,
  { options, gold }: Pick<IclItem, 'options' | 'gold'>,
  scores: readonly Score[],
): Verdict {
  if (task.type === 'language_modeling') return { correct: scores[0]!.greedy };
  const chosenBy = (value: (option: OptionScore) => number) => firstLargest(options.map(value)) === gold;
  return {
    correct: chosenBy(option => option.logLikelihood),
    correctPerToken: chosenBy(option => option.logLikelihood / option.tokens),
    correctPerByte: chosenBy(option => option.logLikelihood / option.bytes),
  };
}

/** Of equal values the first wins, as in llm-foundry and lm-eval. */
function firstLargest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

/** How a generation task is asked and judged. */
interface Answers extends GenerationSettings {
  readonly maxNewTokens: number;
  readonly cotDelimiter: string;
}

/** llm-foundry lets a model write ten tokens more than the longest answer, where that is found behind a worked solution. */
const SPARE_TOKENS = 10;

/** Undefined for tasks that are scored by likelihood. */
async function answersOf(
  { task, style, tokenizer, contextTokens }: ItemContext,
  prompting: PromptContext,
): Promise<Answers | undefined> {
  if (task.type !== 'generation_task_with_answers') return undefined;
  const { cotDelimiter } = prompting.settings;
  const settings = { ...DEFAULT_GENERATION, ...task.generation };
  const longest = settings.maxNewTokens ?? (await longestAnswer(task.records, tokenizer, prompting));
  const spare = settings.maxNewTokens === undefined && cotDelimiter !== '' ? SPARE_TOKENS : 0;
  const wanted = Math.max(1, longest + spare);
  if (style === 'llm-foundry' && wanted >= contextTokens)
    throw new InputError(
      taskKey(task),
      `answers of ${wanted} tokens leave no room for a prompt in ${contextTokens}: give a longer context, or leave the task out`,
    );
  const most = style === 'llm-foundry' ? wanted : Math.floor(contextTokens / 2);
  return { ...settings, maxNewTokens: Math.min(wanted, most), cotDelimiter };
}

async function longestAnswer(
  records: readonly GenerationRecord[],
  tokenizer: Tokenizer,
  prompting: PromptContext,
): Promise<number> {
  const texts = records.flatMap(record =>
    [record.answer, ...record.aliases].map(answer => solutionText(record, answer, prompting)),
  );
  const ids = await TextIds.of(texts, tokenizer);
  return texts.reduce((most, text) => Math.max(most, ids.get(text).length), 0);
}

async function write(
  { scorer, tokenizer, contextTokens }: ItemContext,
  prompts: readonly Prompt[],
  answers: Answers,
  effects: ScoreEffects,
): Promise<{ readonly output: string; readonly trimmed: boolean }[]> {
  const contexts = await encodeContexts(prompts, tokenizer, contextTokens - answers.maxNewTokens);
  const outputs = await generate(
    scorer,
    tokenizer,
    contexts.map(({ tokens }) => tokens),
    answers,
    effects,
  );
  return contexts.map(({ trimmed }, i) => ({ output: outputs[i]!, trimmed }));
}

function judged(
  { task, style }: ItemContext,
  output: string,
  index: number,
  answers: Answers,
): Pick<IclItem, 'correct' | 'exactMatch' | 'output'> {
  const { answer, aliases } = task.records[index] as GenerationRecord;
  const { prefix, exact } = matchAnswer(output, [answer, ...aliases], { style, ...answers });
  return { correct: prefix, exactMatch: exact, output };
}
