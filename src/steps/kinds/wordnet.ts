/** The data of a study that needs no file: everything from WordNet, which npm installs. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DEFAULT_WORDNET_STUDY, WORDNET_COLLECTIONS, WORDNET_FILES } from '../../data/index.ts';
import { defineStep } from '../../study/index.ts';
import { ARTIFACTS } from '../types.ts';

const count = z.number().int().positive();
const share = z.number().gt(0).max(0.5);

export const wordnetParams = z.strictObject({
  testShare: share.default(DEFAULT_WORDNET_STUDY.testShare),
  devShare: share.default(DEFAULT_WORDNET_STUDY.devShare),
  queries: count.default(DEFAULT_WORDNET_STUDY.queries),
  documents: count.default(DEFAULT_WORDNET_STUDY.documents),
  pairs: count.default(DEFAULT_WORDNET_STUDY.pairs),
  items: count.default(DEFAULT_WORDNET_STUDY.items),
});

export const wordnetStep = defineStep({
  kind: 'wordnet',
  version: 2,
  schema: wordnetParams.extend({ seed: z.number().int().min(0).default(DEFAULT_WORDNET_STUDY.seed) }),
  inputs: {},
  outputs: () => ({
    [WORDNET_FILES.text]: ARTIFACTS.text,
    [WORDNET_FILES.pairs]: ARTIFACTS.pairs,
    [WORDNET_FILES.tasks]: ARTIFACTS.tasks,
    ...Object.fromEntries(WORDNET_COLLECTIONS.map(({ name }) => [name, ARTIFACTS.collection])),
  }),
  estimate: () => ({ seconds: 5 }),
  async run({ params, output, scratch, progress }) {
    const { buildWordnetStudyData } = await import('../../data/index.ts');
    const { rm } = await import('node:fs/promises');
    const folder = join(scratch, 'data');
    await rm(folder, { recursive: true, force: true }); // an earlier attempt may have been cut off after this
    await buildWordnetStudyData(folder, params, { progress });
    const names = [...Object.values(WORDNET_FILES), ...WORDNET_COLLECTIONS.map(({ name }) => name)];
    for (const name of names) await cp(join(folder, name), output(name), { recursive: true });
  },
});
