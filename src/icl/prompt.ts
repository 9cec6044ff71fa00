/** From records to texts: what the model reads, and the continuations it is asked about. */
import { strip, stripEnd } from './blanks.ts';
import type { GenerationRecord, IclRecord, MultipleChoiceRecord, SchemaRecord, TaskType } from './records.ts';
import type { IclTask, PromptSettings, PromptStyle } from './settings.ts';

/** One test item as text. Preamble, context and continuation are tokenised one by one and joined as tokens. */
export interface Prompt {
  /** Prompt string and examples. */
  readonly preamble: string;
  /** One for each choice; a single one where there is nothing to choose. */
  readonly options: readonly PromptOption[];
  /** Index of the right option. */
  readonly gold: number;
}

export interface PromptOption {
  readonly context: string;
  /** Without the leading space that byte-pair tokenizers want. */
  readonly continuation: string;
}

export interface PromptContext {
  readonly style: PromptStyle;
  readonly settings: PromptSettings;
  /** Does any record of the task have a worked solution? Then all are shown in that form. */
  readonly workedSolutions: boolean;
}

/** The parts of a record that prompts are made of. */
interface Parts {
  /** Beginnings to choose from: one, except in a schema. */
  readonly contexts: readonly string[];
  /** Endings to choose from: one, except in multiple choice. */
  readonly continuations: readonly string[];
  readonly gold: number;
}

type PartsOf = (record: IclRecord, context: PromptContext) => Parts;

const PARTS: Readonly<Record<TaskType, PartsOf>> = {
  language_modeling: record => {
    const { context, continuation } = record as { context: string; continuation: string };
    return { contexts: [context], continuations: [continuation], gold: 0 };
  },
  multiple_choice: record => {
    const { query, choices, gold } = record as MultipleChoiceRecord;
    return { contexts: [query], continuations: choices, gold };
  },
  schema: record => {
    const { contextOptions, continuation, gold } = record as SchemaRecord;
    return { contexts: contextOptions, continuations: [continuation], gold };
  },
  generation_task_with_answers: (record, context) => {
    const { context: question, ...answer } = record as GenerationRecord;
    return { contexts: [question], continuations: [solutionText(answer, answer.answer, context)], gold: 0 };
  },
};

/** An answer as examples show it: after its worked solution, where the task has those. */
export function solutionText(
  { chainOfThought }: Pick<GenerationRecord, 'chainOfThought'>,
  answer: string,
  { settings, workedSolutions }: PromptContext,
): string {
  return workedSolutions ? `${chainOfThought}${settings.cotDelimiter}${answer}` : answer;
}

/** The prompt of one record behind its examples. */
export function buildPrompt(
  type: TaskType,
  record: IclRecord,
  examples: readonly IclRecord[],
  context: PromptContext,
): Prompt {
  const partsOf = (one: IclRecord) => stripped(type, PARTS[type](one, context), context);
  let preamble = context.settings.promptString;
  for (const example of examples) preamble += exampleText(type, partsOf(example), preamble, context);
  const { contexts, continuations, gold } = partsOf(record);
  const texts = contexts.map(text => testContext(type, text, preamble, context));
  const options = (texts.length > 1 ? texts : continuations).map((_, i) => ({
    context: texts[texts.length > 1 ? i : 0]!,
    continuation: continuations[texts.length > 1 ? 0 : i]!,
  }));
  return { preamble, options, gold };
}

/** llm-foundry strips single texts, and forgets texts in lists: choices, and the contexts of schemas. */
function stripped(type: TaskType, parts: Parts, { style, settings }: PromptContext): Parts {
  if (!settings.stripDataset) return parts;
  const forgets = (texts: 'contexts' | 'continuations') =>
    style === 'llm-foundry' && type === (texts === 'contexts' ? 'schema' : 'multiple_choice');
  const each = (texts: 'contexts' | 'continuations') =>
    forgets(texts) ? parts[texts] : parts[texts].map(strip);
  return { contexts: each('contexts'), continuations: each('continuations'), gold: parts.gold };
}

function exampleText(type: TaskType, parts: Parts, preceding: string, context: PromptContext): string {
  const pick = (texts: readonly string[]) => texts[texts.length > 1 ? parts.gold : 0]!;
  const begin = opening(type, preceding, context);
  return `${begin}${pick(parts.contexts)}${context.settings.continuationDelimiter}${pick(parts.continuations)}`;
}

/** What stands before a context. llm-foundry has the two swapped in schemas. */
function opening(type: TaskType, preceding: string, { style, settings }: PromptContext): string {
  const delimiter = preceding === '' ? '' : settings.exampleDelimiter;
  return style === 'llm-foundry' && type === 'schema'
    ? settings.prelimiter + delimiter
    : delimiter + settings.prelimiter;
}

/** A test item's context with its delimiter. Zero-shot schemas of llm-foundry have none, and end as their file has them. */
function testContext(type: TaskType, text: string, preceding: string, context: PromptContext): string {
  const { style, settings } = context;
  const end = settings.stripDataset ? stripEnd : (whole: string) => whole;
  const begin = opening(type, preceding, context);
  if (style === 'llm-foundry' && type === 'schema')
    return `${begin}${text}${preceding === '' ? '' : end(settings.continuationDelimiter)}`;
  return end(`${begin}${text}${settings.continuationDelimiter}`);
}

/** Does any record of a task hold a worked solution? */
export function hasWorkedSolutions(task: IclTask): boolean {
  return task.type === 'generation_task_with_answers' && task.records.some(one => one.chainOfThought !== '');
}
