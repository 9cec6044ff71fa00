/** In-context evaluation of a checkpoint. */
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { InputError } from '../../base/index.ts';
import { defineStep, one } from '../../study/index.ts';
import { ARTIFACTS } from '../types.ts';

/** See `IclOptions`. */
export const iclParams = z.strictObject({
  /** Items of each task, drawn by a seed, evenly from its categories; all of them if not said. */
  items: z.number().int().min(2).optional(),
  /** Labels or keys (`arc_challenge/25-shot`) of the tasks to evaluate; all of the file if not said. */
  tasks: z.array(z.string()).min(1).optional(),
  /** Examples before each question, in place of what the file says. */
  shots: z.number().int().min(0).optional(),
  /** `llm-foundry` keeps the quirks that docs/icl.md lists. */
  prompts: z.enum(['isoflop', 'llm-foundry']).default('isoflop'),
  /** Tokens of prompt and answer together; the model's sequence length if not said. Models with ALiBi read longer texts too. */
  contextTokens: z.number().int().min(2).optional(),
  threads: z.number().int().positive().default(1),
});

export interface Measured {
  readonly value: number;
  readonly standardError: number;
}

export interface IclTaskScore {
  readonly name: string;
  readonly type: string;
  readonly shots: number;
  readonly items: number;
  /** Accuracy of guessing. */
  readonly chance: number;
  readonly accuracy: Measured;
  readonly bitsPerByte: Measured | null;
}

/** What `icl.json` holds. */
export interface IclScores {
  readonly tasks: readonly IclTaskScore[];
}

export const iclStep = defineStep({
  kind: 'icl',
  version: 3,
  schema: iclParams.extend({ seed: z.number().int().min(0).default(1234) }),
  inputs: { model: one(ARTIFACTS.model), tasks: one(ARTIFACTS.tasks) },
  outputs: () => ({ 'icl.json': ARTIFACTS.icl }),
  resources: ({ threads }) => ({ threads }),
  estimate: () => ({ seconds: 10 }),
  async run({ params, inputs, output, threads, signal, progress, metrics }) {
    const { prettyJson } = await import('../../base/index.ts');
    const { evaluateIcl, gauntletAccuracy, openIclModel, readTasks, taskNames } = await import(
      '../../icl/index.ts'
    );
    const { items: limit, tasks: only, shots, seed, prompts: style, contextTokens } = params;
    const tasks = await readTasks(inputs.tasks, { only, shots, seed }, signal);
    const { model, tokenizer } = await openIclModel(inputs.model);
    const options = {
      ...{ style, threads, signal, progress },
      ...(limit !== undefined && { limit }),
      ...(contextTokens !== undefined && { contextTokens }),
    };
    const { tasks: results } = await evaluateIcl(model, tokenizer, tasks, options);
    const names = taskNames(results);
    const scores: IclScores = {
      tasks: results.map((result, i) => ({
        ...result,
        name: names[i]!,
        accuracy: measured(gauntletAccuracy(result)),
        bitsPerByte: measured(result.bitsPerByte),
      })),
    };
    metrics(Object.fromEntries(scores.tasks.map(({ name, accuracy }) => [name, accuracy.value])));
    await writeFile(output('icl.json'), prettyJson(scores));
  },
});

/** At least two items are asked, so there is a standard error. */
function measured({
  value,
  standardError,
}: {
  readonly value: number;
  readonly standardError: number | null;
}): Measured {
  if (standardError === null)
    throw new InputError('tasks', 'a task with one item has no standard error: give it more');
  return { value, standardError };
}
