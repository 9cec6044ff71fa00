/** Items of tasks as plain text, to look for them in a corpus. */
import type { TestSet } from '../data/index.ts';
import { taskNames } from './from-files.ts';
import type {
  GenerationRecord,
  LanguageModelingRecord,
  MultipleChoiceRecord,
  SchemaRecord,
} from './records.ts';
import type { IclTask } from './settings.ts';

/** A set a task: every item with its right answer, called by its number from 1 on. */
export function taskSets(tasks: readonly IclTask[]): TestSet[] {
  const names = taskNames(tasks);
  return tasks.map((task, i) => ({
    name: `${names[i]}, items`,
    async *texts() {
      const texts = itemTexts(task);
      yield { ids: texts.map((_, place) => String(place + 1)), texts };
    },
  }));
}

function itemTexts(task: IclTask): string[] {
  switch (task.type) {
    case 'language_modeling':
      return task.records.map(
        ({ context, continuation }: LanguageModelingRecord) => `${context} ${continuation}`,
      );
    case 'multiple_choice':
      return task.records.map(
        ({ query, choices, gold }: MultipleChoiceRecord) => `${query} ${choices[gold]}`,
      );
    case 'schema':
      return task.records.map(
        ({ contextOptions, continuation, gold }: SchemaRecord) => `${contextOptions[gold]} ${continuation}`,
      );
    case 'generation_task_with_answers':
      return task.records.map(({ context, answer }: GenerationRecord) => `${context} ${answer}`);
  }
}
