/** The last step of a study: every score beside its compute, laws, correlations. */
import { writeFile } from 'node:fs/promises';
import { any, defineStep, many, optional } from '../../study/index.ts';
import { resultsParams } from '../results/params.ts';
import { ARTIFACTS } from '../types.ts';

export const resultsStep = defineStep({
  kind: 'results',
  version: 4,
  schema: resultsParams,
  inputs: {
    models: many(ARTIFACTS.model),
    scores: many(ARTIFACTS.scores),
    icl: any(ARTIFACTS.icl),
    logs: any(ARTIFACTS.trainingLog),
    overlap: optional(ARTIFACTS.overlap),
  },
  outputs: () => ({ 'results.json': ARTIFACTS.results }),
  estimate: () => ({ seconds: 5 }),
  async run({ params, inputs, output }) {
    const { prettyJson } = await import('../../base/index.ts');
    const { readInputs } = await import('../results/inputs.ts');
    const { studyResults } = await import('../results/results.ts');
    const results = studyResults(await readInputs(params, inputs), params);
    await writeFile(output('results.json'), prettyJson(results));
  },
});
