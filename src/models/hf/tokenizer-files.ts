/** A tokenizer beside the weights, in the files from which Transformers' AutoTokenizer makes one. */
import { join } from 'node:path';
import { InputError, Problems, prettyJson, readInput, writeFileAtomic } from '../../base/index.ts';
import type { MptConfig } from '../mpt/index.ts';
import { isJsonObject, type JsonObject, parseJsonObject, quoted } from './unique-json.ts';

export interface TokenizerFiles {
  /** A `tokenizer.json`. */
  readonly path: string;
  /** Special tokens by role, each one of the file's added tokens. */
  readonly specialTokens: SpecialTokens;
}

export interface SpecialTokens {
  readonly eos: string;
  readonly bos?: string;
  readonly pad?: string;
  readonly unk?: string;
}

const MAX_TOKENIZER_BYTES = 256 << 20;

/** Copies `tokenizer.json`, writes `tokenizer_config.json`, and returns what `config.json` says of special tokens (`eos_token_id`, ...). */
export async function writeTokenizerFiles(
  folder: string,
  { path, specialTokens }: TokenizerFiles,
  config: MptConfig,
): Promise<Record<string, number>> {
  const bytes = await readInput(path, MAX_TOKENIZER_BYTES);
  const ids = tokenIds(parseJsonObject(bytes, path), path, specialTokens, config.vocabSize);
  await writeFileAtomic(join(folder, 'tokenizer.json'), bytes);
  const named = Object.entries(specialTokens).map(([role, token]) => [`${role}_token`, token]);
  const settings = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: config.maxLength,
    clean_up_tokenization_spaces: false,
    ...Object.fromEntries(named),
  };
  await writeFileAtomic(join(folder, 'tokenizer_config.json'), prettyJson(settings));
  return ids;
}

function tokenIds(
  tokenizer: JsonObject,
  path: string,
  specialTokens: SpecialTokens,
  vocabSize: number,
): Record<string, number> {
  const added = addedTokens(tokenizer, path);
  const problems = new Problems();
  for (const [token, id] of [...added, ...modelVocabulary(tokenizer)])
    if (id >= vocabSize)
      problems.add(
        path,
        `token ${quoted(token)} has id ${id}, the model has a vocabulary of ${vocabSize} only`,
      );
  const ids: Record<string, number> = {};
  for (const [role, token] of Object.entries(specialTokens) as [string, string][]) {
    const id = added.get(token);
    if (id === undefined) problems.add(path, `has no added token ${quoted(token)} for ${role}`);
    else if (role !== 'unk') ids[`${role}_token_id`] = id;
  }
  problems.throwIfAny();
  return ids;
}

function addedTokens(tokenizer: JsonObject, path: string): Map<string, number> {
  const list = tokenizer['added_tokens'];
  if (!Array.isArray(list)) throw new InputError(path, 'has no added_tokens: expected a tokenizer.json');
  const pairs = list.filter(isJsonObject).map(({ content, id }) => [content, id] as const);
  return new Map(
    pairs.filter((pair): pair is [string, number] => typeof pair[0] === 'string' && isId(pair[1])),
  );
}

/** Token -> id of a BPE or WordPiece vocabulary. */
function modelVocabulary(tokenizer: JsonObject): [string, number][] {
  const model = tokenizer['model'];
  const vocabulary = isJsonObject(model) ? model['vocab'] : undefined;
  if (!isJsonObject(vocabulary)) return [];
  return Object.entries(vocabulary).filter((pair): pair is [string, number] => isId(pair[1]));
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
