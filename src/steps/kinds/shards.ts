/** Text to token shards, with a held-out split that training never sees. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defineStep, many, one } from '../../study/index.ts';
import { ARTIFACTS } from '../types.ts';

export const shardsStep = defineStep({
  kind: 'shards',
  version: 1,
  schema: z.strictObject({
    textField: z.string().default('text'),
    heldOutShare: z.number().min(0).max(1).default(0.01),
    seed: z.number().int().min(0).default(17),
  }),
  inputs: { text: many(ARTIFACTS.text), tokenizer: one(ARTIFACTS.tokenizer) },
  outputs: () => ({ shards: ARTIFACTS.shards }),
  estimate: () => ({ seconds: 10 }),
  async run({ params, inputs, output, scratch, threads, signal, progress }) {
    const { buildShards, openTexts, startReading } = await import('../../data/index.ts');
    const { Tokenizer } = await import('../../tokenizer/index.ts');
    const sources = await openTexts(inputs.text, { field: params.textField });
    const tokenizer = await Tokenizer.fromFile(inputs.tokenizer);
    const task = startReading(progress, 'shards', sources);
    const folder = join(scratch, 'shards'); // goes on from its own checkpoints
    const manifest = await buildShards(sources, tokenizer, folder, {
      heldOut: params.heldOutShare,
      seed: params.seed,
      workers: threads,
      signal,
      onProgress: (read, tokens) => task.update(read, `${tokens} tokens`),
    });
    await cp(folder, output('shards'), { recursive: true });
    task.finish(`${manifest.train.tokens} tokens`);
  },
});
