/** Training pairs from several sources, drawn and mixed: files of pairs, and collections whose judgements name the positives. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { PairRecord } from '../../data/index.ts';
import { defineStep, many } from '../../study/index.ts';
import { ARTIFACTS } from '../types.ts';

export const pairsStep = defineStep({
  kind: 'pairs',
  version: 1,
  schema: z.strictObject({
    /** In the order of the sources given: how many pairs to draw (all where not said), and the split of a collection. */
    sources: z
      .array(
        z.strictObject({ count: z.number().int().positive().optional(), split: z.string().default('train') }),
      )
      .min(1),
    seed: z.number().int().min(0).default(17),
  }),
  inputs: { from: many(ARTIFACTS.pairs) },
  outputs: () => ({ 'pairs.jsonl': ARTIFACTS.pairs }),
  estimate: () => ({ seconds: 10 }),
  async run({ params, inputs, output, signal, log }) {
    const { InputError, Rng, writeAtomically } = await import('../../base/index.ts');
    const { pairLine } = await import('../../data/index.ts');
    const { pairsOfCollection, pairsOfFile } = await import('../pair-sources.ts');
    if (inputs.from.length !== params.sources.length)
      throw new InputError(
        'pairs',
        `${inputs.from.length} sources, ${params.sources.length} descriptions of them`,
      );
    const drawn: PairRecord[] = [];
    for (const [i, path] of inputs.from.entries()) {
      const { split, count } = params.sources[i]!;
      const all = (await stat(path)).isDirectory()
        ? await pairsOfCollection(path, split, signal)
        : await pairsOfFile(path, signal);
      const order = Rng.from(params.seed, 'pairs', i).permutation(all.length);
      const taken = Array.from(order.subarray(0, count ?? all.length), place => all[place]!);
      if (count !== undefined && taken.length < count)
        throw new InputError(path, `holds ${all.length} pairs, ${count} are asked for`);
      log(`${path}: ${taken.length} of ${all.length} pairs`);
      drawn.push(...taken.map((pair, place) => ({ ...pair, query_id: `s${i}-${place}` })));
    }
    const order = Rng.from(params.seed, 'pairs mixed').permutation(drawn.length);
    await writeAtomically(output('pairs.jsonl'), async file => {
      for (const place of order) await file.write(pairLine(drawn[place]!));
    });
  },
});
