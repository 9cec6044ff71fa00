/** The file format `tokenizer.json` of the `tokenizers` package: writing ours, and reading what we must know of anybody's. */
import { z } from 'zod';
import { InputError, messageOf, Problems, prettyJson } from '../base/index.ts';
import type { Merge } from './learn-merges.ts';

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };

/** A byte-level BPE file as GPT-NeoX's, without its normaliser; the first `specials` spellings are special tokens. */
export function byteLevelJson(
  spellings: readonly string[],
  merges: readonly Merge[],
  specials: number,
): string {
  return prettyJson({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: spellings.slice(0, specials).map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: BYTE_LEVEL,
    post_processor: BYTE_LEVEL,
    decoder: BYTE_LEVEL,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(spellings.map((spelling, id) => [spelling, id])),
      merges: merges.map(({ left, right }) => `${spellings[left]} ${spellings[right]}`),
    },
  });
}

const MAX_ID = 2 ** 31 - 1;

const isId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_ID;

const tokenId = z.custom<number>(isId, `expected a token id, a whole number from 0 to ${MAX_ID}`);

const addedToken = z.looseObject({
  id: tokenId,
  content: z.string().min(1),
  special: z.boolean().default(false),
});

/** Token to id, or a unigram model's list of token and log probability in the order of their ids. */
type ModelVocab = Readonly<Record<string, number>> | readonly (readonly [string, number])[];

/** Checked by hand: zod would copy fifty thousand entries one by one, and lose one called `__proto__`. */
function isModelVocab(value: unknown): value is ModelVocab {
  if (Array.isArray(value)) return value.every(entry => Array.isArray(entry) && typeof entry[0] === 'string');
  if (typeof value !== 'object' || value === null) return false;
  const ids: unknown[] = Object.values(value);
  return ids.every(isId) && new Set(ids).size === ids.length;
}

const modelVocab = z.custom<ModelVocab>(
  isModelVocab,
  'expected an object of tokens with ids that are whole, not negative and different from each other',
);

/** The parts that are read here; everything else is left to the package. */
const schema = z.looseObject({
  added_tokens: z.array(addedToken).nullish(),
  normalizer: z.looseObject({ type: z.string() }).nullish(),
  pre_tokenizer: z.looseObject({ type: z.string() }).nullish(),
  model: z.looseObject({ type: z.string().optional(), vocab: modelVocab }),
});

export type TokenizerJson = z.infer<typeof schema>;

/** Reads the text of a `tokenizer.json`; `where` names it in the `InputError`. */
export function parseTokenizerJson(text: string, where: string): TokenizerJson {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(where, `not valid JSON: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = new Problems();
  for (const issue of parsed.error.issues)
    problems.add(where, `not a tokenizer.json: ${issue.path.join('.')}: ${issue.message}`);
  throw new InputError(problems.list());
}

/** Every token's id: the model's and the added ones. */
export function vocabularyOf({ model, added_tokens }: TokenizerJson): Map<string, number> {
  const ids = isList(model.vocab)
    ? new Map(model.vocab.map(([token], index) => [token, index]))
    : new Map(Object.entries(model.vocab));
  for (const token of added_tokens ?? []) ids.set(token.content, token.id);
  return ids;
}

/** `Array.isArray` that also narrows a read-only array. */
const isList = (vocab: ModelVocab): vocab is readonly (readonly [string, number])[] => Array.isArray(vocab);
