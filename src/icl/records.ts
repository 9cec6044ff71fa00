/** The four record types of llm-foundry's in-context tasks (llmfoundry/eval/datasets/in_context_learning_evaluation.py), checked strictly. */
import type { Problems } from '../base/index.ts';
import { describeValue, type JsonObject, wellFormed } from '../data/index.ts';

interface Categorised {
  /** Sub-task of a task with categories: `literature` of Jeopardy. */
  readonly category?: string;
}

/** What follows a text: right if every token of the continuation is the most likely one. */
export interface LanguageModelingRecord extends Categorised {
  readonly context: string;
  readonly continuation: string;
}

/** One question, several answers: right if the right answer is the most likely one. */
export interface MultipleChoiceRecord extends Categorised {
  readonly query: string;
  readonly choices: readonly string[];
  /** Index of the right choice. */
  readonly gold: number;
}

/** Several beginnings, one ending: right if the ending is most likely after the right beginning. */
export interface SchemaRecord extends Categorised {
  readonly contextOptions: readonly string[];
  readonly continuation: string;
  /** Index of the right beginning. */
  readonly gold: number;
}

/** A question answered in free text, by greedy decoding. */
export interface GenerationRecord extends Categorised {
  readonly context: string;
  readonly answer: string;
  /** Other spellings that count. */
  readonly aliases: readonly string[];
  /** Worked solution shown before the answer in examples. Empty where there is none. */
  readonly chainOfThought: string;
}

export interface RecordTypes {
  readonly language_modeling: LanguageModelingRecord;
  readonly multiple_choice: MultipleChoiceRecord;
  readonly schema: SchemaRecord;
  readonly generation_task_with_answers: GenerationRecord;
}

export type TaskType = keyof RecordTypes;
export const TASK_TYPES = [
  'language_modeling',
  'multiple_choice',
  'schema',
  'generation_task_with_answers',
] as const satisfies readonly TaskType[];

export type IclRecord = RecordTypes[TaskType];

/** A record from a JSON object that stands at `where`; undefined, after reporting everything wrong with it, where it is none. */
export function parseRecord<T extends TaskType>(
  type: T,
  value: JsonObject,
  where: string,
  problems: Problems,
): RecordTypes[T] | undefined {
  const fields = new Fields(value, where, problems);
  const record = PARSERS[type](fields);
  const category = fields.optionalText('category');
  if (fields.failed) return undefined;
  return category === undefined ? record : { ...record, category };
}

const PARSERS: { readonly [T in TaskType]: (fields: Fields) => RecordTypes[T] } = {
  language_modeling: fields => ({
    context: fields.text('context'),
    continuation: fields.filledText('continuation'),
  }),
  multiple_choice: fields => {
    const choices = fields.options('choices');
    return { query: fields.text('query'), choices, gold: fields.index('gold', choices.length) };
  },
  schema: fields => {
    const contextOptions = fields.options('context_options');
    return {
      contextOptions,
      continuation: fields.filledText('continuation'),
      gold: fields.index('gold', contextOptions.length),
    };
  },
  generation_task_with_answers: fields => ({
    context: fields.text('context'),
    answer: fields.filledText('answer'),
    aliases: fields.texts('aliases'),
    chainOfThought: fields.optionalText('chain_of_thought') ?? '',
  }),
};

/** More choices than any task has: a file that claims more is not what it seems. */
const MOST_OPTIONS = 10_000;

/** Reads the fields of one object and reports each that does not fit; what it then returns only keeps the types together. */
class Fields {
  readonly #value: JsonObject;
  readonly #where: string;
  readonly #problems: Problems;
  failed = false;

  constructor(value: JsonObject, where: string, problems: Problems) {
    this.#value = value;
    this.#where = where;
    this.#problems = problems;
  }

  text(key: string): string {
    const value = this.#value[key];
    if (typeof value === 'string') return wellFormed(value);
    return this.#wrong(`expected '${key}' to be a text, found ${describeValue(value)}`, '');
  }

  /** A text in which something stands: blanks alone cannot be predicted, because they are stripped. */
  filledText(key: string): string {
    const text = this.text(key);
    if (text.trim() !== '' || typeof this.#value[key] !== 'string') return text;
    return this.#wrong(`'${key}' is empty: there is nothing to predict`, '');
  }

  optionalText(key: string): string | undefined {
    return this.#value[key] === undefined || this.#value[key] === null ? undefined : this.text(key);
  }

  /** A list of texts, empty where the key is missing. */
  texts(key: string): readonly string[] {
    const value = this.#value[key];
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value))
      return this.#wrong(`expected '${key}' to be a list of texts, found ${describeValue(value)}`, []);
    const bad = value.findIndex(item => typeof item !== 'string');
    if (bad >= 0) return this.#wrong(`expected a text in '${key}', found ${describeValue(value[bad])}`, []);
    return (value as readonly string[]).map(wellFormed);
  }

  /** At least two texts, none of them empty. */
  options(key: string): readonly string[] {
    if (this.#value[key] === undefined) return this.#wrong(`has no '${key}'`, []);
    const failedBefore = this.failed;
    const texts = this.texts(key);
    if (this.failed !== failedBefore) return texts;
    if (texts.length < 2 || texts.length > MOST_OPTIONS)
      return this.#wrong(`'${key}' lists ${texts.length} texts, expected 2 to ${MOST_OPTIONS}`, []);
    if (texts.some(text => text.trim() === '')) return this.#wrong(`'${key}' holds an empty text`, []);
    return texts;
  }

  index(key: string, count: number): number {
    const value = this.#value[key];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0) {
      if (value < count || count === 0) return value; // a count of 0 has been reported already
      return this.#wrong(`'${key}' is ${value}, but there are ${count} to choose from, counted from 0`, 0);
    }
    return this.#wrong(
      `expected '${key}' to be a whole number from 0 to ${Math.max(count - 1, 1)}, found ${describeValue(value)}`,
      0,
    );
  }

  #wrong<T>(message: string, standIn: T): T {
    this.failed = true;
    this.#problems.add(this.#where, message);
    return standIn;
  }
}
