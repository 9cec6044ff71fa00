/**
 * How a directory of sentence-transformers makes vectors, read from its own files: the list of modules, the pooling, the prompts, the longest text.
 * What isoflop's embedder does not compute (another pooling, a dense layer) is refused, because it would be another model under the same name.
 */
import { join } from 'node:path';
import { exists, InputError, Problems, readInputJson } from '../../base/index.ts';
import type { EmbedderSettings } from './embedder.ts';
import { TOKENIZER_FILE } from './tokenizer-files.ts';
import { isJsonObject, type JsonObject, quoted, show } from './unique-json.ts';

export const MODULES_FILE = 'modules.json';

/** Names under which prompts for queries and for passages are found, the usual ones first. */
const QUERY_PROMPTS = ['query', 'search_query', 's2p_query'];
const PASSAGE_PROMPTS = ['document', 'passage', 'corpus', 'search_document'];

/** The kinds of modules there may be, in order; the last may be left out where vectors are compared by cosine. */
const MODULES = ['Transformer', 'Pooling', 'Normalize'];

/**
 * The settings of a directory with `modules.json`. `fallback` gives the lengths where no file says them. Throws one `InputError` with everything that
 * makes its vectors others than the mean of the final states scaled to unit length.
 */
export async function readSentenceTransformers(
  path: string,
  fallback: EmbedderSettings,
): Promise<EmbedderSettings> {
  const problems = new Problems();
  const modules = await readModules(join(path, MODULES_FILE), problems);
  const pooling = modules.find(({ kind }) => kind === 'Pooling');
  if (pooling) await checkPooling(join(path, pooling.path, 'config.json'), problems);
  const prompts = await readObject(join(path, 'config_sentence_transformers.json'));
  const normalised = modules.some(({ kind }) => kind === 'Normalize');
  const similarity = prompts['similarity_fn_name'] ?? 'cosine';
  if (!normalised && similarity !== 'cosine')
    problems.add(
      path,
      `compares vectors by ${show(similarity)} without scaling them, expected cosine similarity or a Normalize module`,
    );
  problems.throwIfAny();
  const sizes = await readObject(join(path, 'sentence_bert_config.json'));
  const longest = sizes['max_seq_length'];
  const length = Number.isSafeInteger(longest) && (longest as number) > 0 ? (longest as number) : undefined;
  return {
    queryPrefix: promptOf(prompts, QUERY_PROMPTS),
    passagePrefix: promptOf(prompts, PASSAGE_PROMPTS),
    maxQueryTokens: length ?? fallback.maxQueryTokens,
    maxPassageTokens: length ?? fallback.maxPassageTokens,
    appendEos: appendsToken(await readObject(join(path, TOKENIZER_FILE))),
  };
}

interface Module {
  readonly kind: string;
  /** Its folder. */
  readonly path: string;
}

async function readModules(file: string, problems: Problems): Promise<Module[]> {
  const list = await readInputJson(file);
  const modules = (Array.isArray(list) ? list : []).filter(isJsonObject).map(({ type, path }) => ({
    kind: String(type).split('.').at(-1)!,
    path: String(path),
  }));
  const kinds = modules.map(({ kind }) => kind);
  const expected = MODULES.slice(0, Math.max(2, kinds.length));
  if (kinds.join() !== expected.join())
    problems.add(
      file,
      `lists the modules ${kinds.join(', ') || 'of none'}, expected ${MODULES.join(', ')} (the last may be missing)`,
    );
  for (const { path } of modules)
    if (/(^|[\\/])\.\.([\\/]|$)|^[\\/]/.test(path))
      problems.add(file, `${quoted(path)} leaves the directory`);
  problems.throwIfAny(); // their files mean nothing otherwise
  return modules;
}

/** Old files have a flag a mode, new ones name the mode. */
async function checkPooling(file: string, problems: Problems): Promise<void> {
  const pooling = await readObject(file);
  const named = pooling['pooling_mode'];
  const flags = Object.keys(pooling).filter(key => key.startsWith('pooling_mode_') && pooling[key] === true);
  const modes =
    named === undefined ? flags.map(key => key.slice('pooling_mode_'.length)) : [named].flat().map(String);
  if (modes.join() !== 'mean_tokens' && modes.join() !== 'mean')
    problems.add(
      file,
      `pools by ${modes.join(' and ') || 'nothing it names'}, expected the mean of all tokens`,
    );
  if (pooling['include_prompt'] === false)
    problems.add(file, 'leaves the prompt out of the mean: isoflop counts every token of a text');
}

function promptOf(settings: JsonObject, names: readonly string[]): string {
  const prompts = settings['prompts'];
  const found = isJsonObject(prompts) ? names.map(name => prompts[name]) : [];
  return found.find((prompt): prompt is string => typeof prompt === 'string') ?? '';
}

/** Does the tokenizer's own post-processor end a text with a special token? */
function appendsToken(tokenizer: JsonObject): boolean {
  const processor = tokenizer['post_processor'];
  const steps = isJsonObject(processor)
    ? [processor, ...(Array.isArray(processor['processors']) ? processor['processors'] : [])]
    : [];
  return steps.filter(isJsonObject).some(({ single }) => {
    const last: unknown = Array.isArray(single) ? single.at(-1) : undefined;
    return isJsonObject(last) && 'SpecialToken' in last;
  });
}

async function readObject(file: string): Promise<JsonObject> {
  if (!(await exists(file))) return {};
  const value = await readInputJson(file);
  if (!isJsonObject(value)) throw new InputError(file, 'expected a JSON object');
  return value;
}
