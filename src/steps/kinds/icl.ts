/** In-context evaluation of a checkpoint. */
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { defineStep, one } from '../../study/index.ts';
import { ARTIFACTS } from '../types.ts';

/** See `IclOptions`. */
export const iclParams = z.strictObject({
  /** Items of each task, the first ones; all of them if not said. */
  items: z.number().int().min(2).optional(),
  /** Labels of the tasks to evaluate; all of the list if not said. */
  tasks: z.array(z.string()).min(1).optional(),
  /** Examples before each question, in place of what the list says. */
  shots: z.number().int().min(0).optional(),
  /** Prompts and judgement with the Eval Gauntlet's quirks. */
  gauntlet: z.boolean().default(false),
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
  version: 1,
  schema: iclParams.extend({ seed: z.number().int().min(0).default(1234) }),
  inputs: { model: one(ARTIFACTS.model), tasks: one(ARTIFACTS.tasks) },
  outputs: () => ({ 'icl.json': ARTIFACTS.icl }),
  resources: ({ threads }) => ({ threads }),
  estimate: () => ({ seconds: 10 }),
  async run({ params, inputs, output, threads, signal, progress }) {
    const { prettyJson } = await import('../../base/index.ts');
    const { evaluateIcl, readTasks } = await import('../../icl/index.ts');
    const { items: limit, tasks: only, shots, seed, gauntlet } = params;
    const tasks = await readTasks(inputs.tasks, { only, shots });
    const options = { limit, seed, gauntlet, threads };
    const { tasks: scores } = await evaluateIcl(inputs.model, tasks, options, { signal, progress });
    await writeFile(output('icl.json'), prettyJson({ tasks: scores } satisfies IclScores));
  },
});
