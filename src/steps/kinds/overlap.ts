/** How much of what models are tested on stands in the text they are pretrained on. */
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { OVERLAP_DEFAULTS, overlapText } from '../../data/index.ts';
import { any, defineStep, many, optional } from '../../study/index.ts';
import { ARTIFACTS } from '../types.ts';
import { iclParams } from './icl.ts';

/** See `OverlapSettings`. */
export const overlapParams = z.strictObject({
  words: z.number().int().min(1).default(OVERLAP_DEFAULTS.words),
  share: z.number().gt(0).max(1).default(OVERLAP_DEFAULTS.share),
});

export const overlapStep = defineStep({
  kind: 'overlap',
  version: 1,
  schema: overlapParams.extend({
    textField: z.string().default('text'),
    /** Names and splits, in the order of the collections given. */
    collections: z.array(z.strictObject({ name: z.string(), split: z.string() })),
    /** Which tasks of the file; all if not said. */
    tasks: iclParams.shape.tasks,
  }),
  inputs: {
    text: many(ARTIFACTS.text),
    collections: any(ARTIFACTS.collection),
    tasks: optional(ARTIFACTS.tasks),
  },
  outputs: () => ({ 'overlap.json': ARTIFACTS.overlap }),
  estimate: () => ({ seconds: 20 }),
  async run({ params, inputs, output, signal, progress, log }) {
    const { InternalError, prettyJson } = await import('../../base/index.ts');
    const { measureTestOverlap } = await import('../../icl/index.ts');
    const { words, share, textField, tasks } = params;
    if (params.collections.length !== inputs.collections.length)
      throw new InternalError('the overlap step was given other collections than its parameters list');
    const collections = params.collections.map((named, i) => ({ ...named, folder: inputs.collections[i]! }));
    const overlap = await measureTestOverlap(
      inputs.text,
      { collections, taskFile: inputs.tasks, tasks },
      { words, share, field: textField, signal, progress },
    );
    log(overlapText(overlap));
    await writeFile(output('overlap.json'), prettyJson(overlap));
  },
});
