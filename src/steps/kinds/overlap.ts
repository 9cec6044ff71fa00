/** How much of what models are tested on stands in the text they are pretrained on. */
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { any, defineStep, many, optional } from '../../study/index.ts';
import { ARTIFACTS } from '../types.ts';
import { iclParams } from './icl.ts';

/** See `OverlapSettings`. */
export const overlapParams = z.strictObject({
  words: z.number().int().min(1).default(8),
  share: z.number().gt(0).max(1).default(0.7),
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
    const { collectionSets, measureOverlap, openTexts, overlapText } = await import('../../data/index.ts');
    const { readTasks, taskSets } = await import('../../icl/index.ts');
    const { words, share, textField, collections, tasks: only } = params;
    if (collections.length !== inputs.collections.length)
      throw new InternalError('the overlap step was given other collections than its parameters list');
    const tasks = inputs.tasks === undefined ? [] : await readTasks(inputs.tasks, { only }, signal);
    const sets = [
      ...collections.flatMap(({ name, split }, i) => collectionSets(name, inputs.collections[i]!, split)),
      ...taskSets(tasks),
    ];
    const sources = await openTexts(inputs.text, { field: textField });
    const bytes = sources.reduce((sum, source) => sum + source.bytes, 0);
    const task = progress.start('overlap', bytes, 'bytes');
    const onRead = (read: number) => task.update(read);
    const overlap = await measureOverlap(sources, sets, { words, share, signal, onRead });
    task.finish();
    log(overlapText(overlap));
    await writeFile(output('overlap.json'), prettyJson(overlap));
  },
});
