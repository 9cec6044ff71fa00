/** Text to a byte-level BPE tokenizer. */
import { writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { defineStep, many } from '../../study/index.ts';
import { ARTIFACTS } from '../types.ts';

export const tokenizerStep = defineStep({
  kind: 'tokenizer',
  version: 1,
  schema: z.strictObject({
    vocabSize: z.number().int().positive(),
    textField: z.string().default('text'),
  }),
  inputs: { text: many(ARTIFACTS.text) },
  outputs: () => ({ 'tokenizer.json': ARTIFACTS.tokenizer }),
  estimate: () => ({ seconds: 5 }),
  async run({ params, inputs, output, signal, progress }) {
    const { openTexts, readDocuments, startReading, textsOf } = await import('../../data/index.ts');
    const { trainTokenizer } = await import('../../tokenizer/index.ts');
    const sources = await openTexts(inputs.text, { field: params.textField });
    const task = startReading(progress, 'tokenizer', sources);
    const documents = readDocuments(sources, { signal, onRead: read => task.update(read) });
    const trained = await trainTokenizer(textsOf(documents), { vocabSize: params.vocabSize, signal });
    await writeFile(output('tokenizer.json'), trained.json);
    task.finish(`${trained.vocabSize} tokens`);
  },
});
