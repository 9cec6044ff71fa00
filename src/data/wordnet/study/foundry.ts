/** Task list and gauntlet as llm-foundry's YAML files spell them. */
import { stringify } from 'yaml';
import type { IclTask } from './icl.ts';

/** The tasks' file of records, beside the list. */
export function recordsFile({ label }: IclTask): string {
  return `${label}.jsonl`;
}

/** `icl_tasks`: zero-shot, with `dataset_uri` relative to the list's own folder. */
export function tasksYaml(tasks: readonly IclTask[]): string {
  return stringify({
    icl_tasks: tasks.map(task => ({
      label: task.label,
      dataset_uri: recordsFile(task),
      num_fewshot: [0],
      icl_task_type: task.type,
    })),
  });
}

/** `eval_gauntlet` with chance subtracted and the rest rescaled; lexical relations and plain language modelling are its two categories. */
export function gauntletYaml(tasks: readonly IclTask[]): string {
  const isLanguage = ({ label }: IclTask) => /last_word|completion/.test(label);
  const category = (name: string, members: readonly IclTask[]) => ({
    name,
    benchmarks: members.map(({ label, chance }) => ({
      name: label,
      num_fewshot: 0,
      random_baseline: chance,
    })),
  });
  return stringify({
    eval_gauntlet: {
      weighting: 'EQUAL',
      subtract_random_baseline: true,
      rescale_accuracy: true,
      averages: { wordnet_average: ['lexical_relations', 'language_modeling'] },
      categories: [
        category(
          'lexical_relations',
          tasks.filter(task => !isLanguage(task)),
        ),
        category('language_modeling', tasks.filter(isLanguage)),
      ],
    },
  });
}
