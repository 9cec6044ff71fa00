/** Records of the four types of the Eval Gauntlet, from JSON lines, in one form. */
import { Problems } from '../base/index.ts';
import { describe, type JsonObject, readJsonBlocks, wellFormed } from '../data/index.ts';
import type { IclTask, TaskType } from './tasks.ts';

/**
 * A question. The candidates that compete are every context with every answer; one of the two lists has a single entry:
 * language modelling and generation 1 x 1, multiple choice 1 x n, schema n x 1.
 */
export interface IclRecord {
  /** Line of the file, from 1. */
  readonly line: number;
  /** Empty where the task has no categories. */
  readonly category: string;
  readonly contexts: readonly string[];
  /** For generation: what an example shows, the chain of thought and its delimiter included. */
  readonly answers: readonly string[];
  /** Number of the right candidate. */
  readonly gold: number;
  /** Generation: every answer that counts as right; empty otherwise. */
  readonly accepted: readonly string[];
}

/** Fewer say nothing about the spread of the items. */
const LEAST_RECORDS = 2;

/** Reads a task's records. Every text is stripped of blanks at its ends. Throws one `InputError` with everything that is wrong. */
export async function readRecords(task: IclTask, signal?: AbortSignal): Promise<readonly IclRecord[]> {
  const problems = new Problems();
  const records: IclRecord[] = [];
  for await (const { values, lines } of readJsonBlocks(task.file, problems, signal)) {
    for (const [i, value] of values.entries()) {
      const record = parse(new Fields(value, `${task.file}:${lines[i]}`, problems), task, lines[i]!);
      if (record) records.push(record);
    }
  }
  if (problems.count === 0 && records.length < LEAST_RECORDS)
    problems.add(task.file, `holds ${records.length} records: at least ${LEAST_RECORDS} make a task`);
  problems.throwIfAny();
  return records;
}

/** One record's fields; what is wrong is reported and `ok` becomes false. */
class Fields {
  ok = true;
  readonly #value: JsonObject;
  readonly #where: string;
  readonly #problems: Problems;

  constructor(value: JsonObject, where: string, problems: Problems) {
    this.#value = value;
    this.#where = where;
    this.#problems = problems;
  }

  has(key: string): boolean {
    return this.#value[key] !== undefined && this.#value[key] !== null;
  }

  #report(message: string): void {
    this.ok = false;
    this.#problems.add(this.#where, message);
  }

  text(key: string, mayBeEmpty = false): string {
    return this.#textOf(this.#value[key], `'${key}'`, mayBeEmpty);
  }

  #textOf(value: unknown, what: string, mayBeEmpty: boolean): string {
    const text = typeof value === 'string' ? wellFormed(value).trim() : undefined;
    if (text !== undefined && (mayBeEmpty || text !== '')) return text;
    const wanted = mayBeEmpty ? 'a text' : 'a text that is not blank';
    this.#report(`expected ${what} to be ${wanted}, found ${describe(value)}`);
    return '';
  }

  texts(key: string, least: number): string[] {
    const value = this.#value[key];
    if (Array.isArray(value) && value.length >= least)
      return value.map((item: unknown, i) => this.#textOf(item, `'${key}[${i}]'`, least === 0));
    this.#report(`expected '${key}' to be a list of at least ${least} texts, found ${describe(value)}`);
    return [];
  }

  choice(key: string, count: number): number {
    const value = this.#value[key];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count) return value;
    this.#report(`expected '${key}' to be a whole number from 0 to ${count - 1}, found ${describe(value)}`);
    return 0;
  }
}

type Question = Pick<IclRecord, 'contexts' | 'answers' | 'gold' | 'accepted'>;

const PARSERS: Readonly<Record<TaskType, (fields: Fields, task: IclTask) => Question>> = {
  language_modeling: fields => ({
    contexts: [fields.text('context', true)],
    answers: [fields.text('continuation')],
    gold: 0,
    accepted: [],
  }),
  multiple_choice: fields => {
    const contexts = [fields.text('query', true)];
    const answers = fields.texts('choices', 2);
    return { contexts, answers, gold: fields.choice('gold', answers.length), accepted: [] };
  },
  schema: fields => {
    const contexts = fields.texts('context_options', 2);
    const answers = [fields.text('continuation')];
    return { contexts, answers, gold: fields.choice('gold', contexts.length), accepted: [] };
  },
  generation_task_with_answers: (fields, task) => {
    const answer = fields.text('answer');
    const aliases = fields.has('aliases') ? fields.texts('aliases', 0) : [];
    const thought = fields.has('chain_of_thought') ? fields.text('chain_of_thought', true) : undefined;
    return {
      contexts: [fields.text('context', true)],
      answers: [thought === undefined ? answer : `${thought}${task.cotDelimiter}${answer}`],
      gold: 0,
      accepted: [...new Set([answer, ...aliases])].filter(text => text !== ''),
    };
  },
};

function parse(fields: Fields, task: IclTask, line: number): IclRecord | undefined {
  const question = PARSERS[task.type](fields, task);
  const category = task.hasCategories ? fields.text('category') : '';
  return fields.ok ? { line, category, ...question } : undefined;
}
