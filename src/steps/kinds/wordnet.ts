/** The data of a study that needs no file: everything from WordNet, which npm installs. */
import { z } from 'zod';

export const wordnetParams = z.strictObject({
  queries: z.number().int().positive().default(600),
  documents: z.number().int().positive().default(5000),
  pairs: z.number().int().positive().default(6000),
  items: z.number().int().positive().default(300),
});

/** Outputs of the step. */
export const WORDNET_OUTPUTS = { text: 'text.jsonl', pairs: 'pairs.jsonl', tasks: 'icl' } as const;

export const WORDNET_COLLECTIONS = [
  { name: 'wordnet-relatives', title: 'WordNet: definition to definitions of its relatives' },
  { name: 'wordnet-entries', title: 'WordNet: definition to entry' },
] as const;
