/** The data of a study that needs no file: everything from WordNet, which npm installs. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { studyOptions, WORDNET_STUDY_DEFAULTS } from '../../data/index.ts';
import { defineStep } from '../../study/index.ts';
import { reportingWith } from '../params.ts';
import { ARTIFACTS } from '../types.ts';

const count = z.number().int().positive();

/** See `WordnetStudyOptions`. */
export const wordnetParams = z.strictObject({
  testShare: z.number().gt(0).lt(1).default(WORDNET_STUDY_DEFAULTS.testShare),
  queries: count.default(WORDNET_STUDY_DEFAULTS.queries),
  devQueries: count.default(WORDNET_STUDY_DEFAULTS.devQueries),
  documents: count.default(WORDNET_STUDY_DEFAULTS.documents),
  pairs: count.default(WORDNET_STUDY_DEFAULTS.pairs),
  iclItems: count.default(WORDNET_STUDY_DEFAULTS.iclItems),
});

/** Outputs of the step, and where they stand in the folder that the builder writes. */
export const WORDNET_OUTPUTS = { text: 'text.jsonl', pairs: 'pairs.jsonl', tasks: 'icl' } as const;
const PLACES = {
  [WORDNET_OUTPUTS.text]: 'pretraining.jsonl',
  [WORDNET_OUTPUTS.pairs]: join('pairs', 'train.jsonl'),
  [WORDNET_OUTPUTS.tasks]: 'icl',
};

export const WORDNET_COLLECTIONS = [
  { name: 'wordnet-relatives', title: 'WordNet: definition to the definitions of its relatives' },
  { name: 'wordnet-entries', title: 'WordNet: definition to its entry' },
] as const;

export const wordnetStep = defineStep({
  kind: 'wordnet',
  version: 1,
  schema: wordnetParams
    .extend({ seed: z.number().int().min(0).default(WORDNET_STUDY_DEFAULTS.seed) })
    .superRefine(reportingWith(studyOptions)),
  inputs: {},
  outputs: () => ({
    [WORDNET_OUTPUTS.text]: ARTIFACTS.text,
    [WORDNET_OUTPUTS.pairs]: ARTIFACTS.pairs,
    [WORDNET_OUTPUTS.tasks]: ARTIFACTS.tasks,
    ...Object.fromEntries(WORDNET_COLLECTIONS.map(({ name }) => [name, ARTIFACTS.collection])),
  }),
  estimate: () => ({ seconds: 10 }),
  async run({ params, output, scratch, signal, progress }) {
    const { buildWordnetStudyData } = await import('../../data/index.ts');
    const folder = join(scratch, 'data');
    await rm(folder, { recursive: true, force: true }); // an earlier attempt may have been cut off after this
    await buildWordnetStudyData(folder, params, { progress, signal });
    for (const [name, place] of Object.entries(PLACES))
      await cp(join(folder, place), output(name), { recursive: true });
    for (const { name } of WORDNET_COLLECTIONS)
      await cp(join(folder, name), output(name), { recursive: true });
  },
});
