/** A step kind that makes up results: what a study with a report looks like to the engine. */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { prettyJson } from '../../base/index.ts';
import { defineStep, optional } from '../../study/index.ts';

const madeUp = defineStep({
  kind: 'made-up-results',
  version: 1,
  schema: z.strictObject({ seed: z.number().int().default(1) }),
  inputs: { notes: optional('text') },
  outputs: () => ({ 'results.json': 'study-results' }),
  async run({ params, inputs, output }) {
    const { exampleResults } = await import('./results.ts');
    const notes = inputs.notes === undefined ? [] : [await readFile(inputs.notes, 'utf8')];
    const results = exampleResults(params.seed);
    await writeFile(
      output('results.json'),
      prettyJson({ ...results, caveats: [...results.caveats, ...notes] }),
    );
  },
});

export const kinds = [madeUp];
