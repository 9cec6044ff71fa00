/** From records to the texts a model reads. */
import type { IclRecord } from './records.ts';
import type { IclTask } from './tasks.ts';

/** One candidate: what is read, and what is scored after it. */
export interface Prompt {
  /** The context, in pieces that are tokenised each for itself. */
  readonly context: readonly string[];
  /** With the blanks that divide it from the context: in byte-level vocabularies a word carries the blank before it. */
  readonly answer: string;
}

/** The candidates of a question, in order. `shots` are the records of the examples. */
export type PromptBuilder = (task: IclTask, record: IclRecord, shots: readonly IclRecord[]) => Prompt[];

/**
 * Examples and question in one text: prompt string, then for each [example delimiter, unless it is the first thing] prelimiter, context,
 * continuation delimiter, answer. Blanks at the end of the context go to the answer, so that a question continues exactly as the examples do.
 */
export const buildPrompts: PromptBuilder = (task, record, shots) => {
  const before = examplesText(task, shots);
  return candidates(record).map(([context, answer]) => {
    const text = before + opened(task, context, before);
    const read = text.trimEnd();
    return { context: [read], answer: text.slice(read.length) + answer };
  });
};

/**
 * llm-foundry's way, quirk by quirk (docs/icl.md): examples and question are tokenised apart; every answer of a question gets one blank,
 * whatever the delimiter ends in; a schema question without examples loses its continuation delimiter, and one with examples has the
 * prelimiter before the example delimiter.
 */
export const buildGauntletPrompts: PromptBuilder = (task, record, shots) => {
  const before = examplesText(task, shots, task.type === 'schema' ? schemaOpened : opened);
  return candidates(record).map(([context, answer]) => ({
    context: [before, questionText(task, context, before)],
    answer: answer.startsWith(' ') ? answer : ` ${answer}`,
  }));
};

function questionText(task: IclTask, context: string, before: string): string {
  if (task.type !== 'schema') return opened(task, context, before).trimEnd();
  const delimiter = before === '' ? '' : task.continuationDelimiter.trimEnd();
  return `${task.prelimiter}${before === '' ? '' : task.exampleDelimiter}${context}${delimiter}`;
}

type Opening = (task: IclTask, context: string, before: string) => string;

const opened: Opening = (task, context, before) =>
  `${before === '' ? '' : task.exampleDelimiter}${task.prelimiter}${context}${task.continuationDelimiter}`;

const schemaOpened: Opening = (task, context, before) =>
  `${task.prelimiter}${before === '' ? '' : task.exampleDelimiter}${context}${task.continuationDelimiter}`;

function examplesText(task: IclTask, shots: readonly IclRecord[], opening: Opening = opened): string {
  return shots.reduce((before, shot) => {
    const [context, answer] = candidates(shot)[shot.gold]!;
    return before + opening(task, context, before) + answer;
  }, task.promptString);
}

function candidates({ contexts, answers }: IclRecord): [context: string, answer: string][] {
  return contexts.flatMap(context => answers.map((answer): [string, string] => [context, answer]));
}
