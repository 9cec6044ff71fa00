/**
 * An embedder as a directory that sentence-transformers loads and that gives the same vectors there: an MPT directory with `modules.json`,
 * the pooling's settings, the prompts, and a tokenizer that appends the end-of-text token by itself. What sentence-transformers has no
 * place for stands in `isoflop_embedder.json`.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { exists, prettyJson, readConfig, readInputText, writeFileAtomic } from '../../base/index.ts';
import { type MptConfig, requireLength } from '../mpt/index.ts';
import { transformersObstacles } from './mpt-config.ts';
import { type MptWeights, writeMptDirectory } from './mpt-export.ts';
import { MODULES_FILE, readSentenceTransformers } from './sentence-transformers.ts';
import type { SpecialTokens } from './tokenizer-files.ts';

/** How texts become vectors. */
export interface EmbedderSettings {
  readonly queryPrefix: string;
  readonly passagePrefix: string;
  /** Tokens kept of a text, the end-of-text token included. */
  readonly maxQueryTokens: number;
  readonly maxPassageTokens: number;
  /** Append the end-of-text token, which counts in the mean. */
  readonly appendEos: boolean;
}

/**
 * DEVIATION: the paper does not say how texts were marked or cut. Prefixes and the end-of-text token follow the example of llm-foundry's llm_embed,
 * the lengths those of RepLLaMA's family at evaluation.
 */
export const DEFAULT_EMBEDDER: EmbedderSettings = {
  queryPrefix: 'query: ',
  passagePrefix: 'passage: ',
  maxQueryTokens: 64,
  maxPassageTokens: 256,
  appendEos: true,
};

export const EMBEDDER_FILE = 'isoflop_embedder.json';

const settingsSchema = z.strictObject({
  queryPrefix: z.string(),
  passagePrefix: z.string(),
  maxQueryTokens: z.number().int().positive(),
  maxPassageTokens: z.number().int().positive(),
  appendEos: z.boolean(),
});

/**
 * The settings a model directory carries, in our own file or else in sentence-transformers'; undefined for a language model that was never made
 * an embedder.
 */
export async function readEmbedderSettings(path: string): Promise<EmbedderSettings | undefined> {
  const file = join(path, EMBEDDER_FILE);
  if (await exists(file)) return readConfig(file, settingsSchema, {});
  if (await exists(join(path, MODULES_FILE))) return readSentenceTransformers(path, DEFAULT_EMBEDDER);
  return undefined;
}

export interface EmbedderExport {
  readonly config: MptConfig;
  readonly weights: MptWeights;
  readonly tokenizerPath: string;
  readonly specialTokens: SpecialTokens;
  readonly settings: EmbedderSettings;
  /** Markdown after the front matter of README.md. */
  readonly card: string;
}

export async function writeEmbedderDirectory(path: string, model: EmbedderExport): Promise<void> {
  const { config, weights, settings, specialTokens, tokenizerPath } = model;
  await mkdir(join(path, '1_Pooling'), { recursive: true });
  await writeMptDirectory(path, forLengths(config, settings), weights, {
    tokenizer: { path: tokenizerPath, specialTokens },
  });
  const files: Readonly<Record<string, unknown>> = {
    [EMBEDDER_FILE]: settings,
    [MODULES_FILE]: MODULES,
    '1_Pooling/config.json': poolingConfig(config.dModel),
    'sentence_bert_config.json': { max_seq_length: settings.maxPassageTokens, do_lower_case: false },
    'config_sentence_transformers.json': {
      prompts: { query: settings.queryPrefix, document: settings.passagePrefix },
      default_prompt_name: null,
      similarity_fn_name: 'cosine',
    },
  };
  for (const [name, value] of Object.entries(files))
    await writeFileAtomic(join(path, name), prettyJson(value));
  if (settings.appendEos) await appendEosInTokenizer(join(path, 'tokenizer.json'), specialTokens.eos);
  await writeFileAtomic(join(path, 'README.md'), modelCard(model));
}

/** ALiBi has no longest sequence, but Transformers computes its biases up to the configured one. */
function forLengths(config: MptConfig, { maxQueryTokens, maxPassageTokens }: EmbedderSettings): MptConfig {
  const longest = Math.max(maxQueryTokens, maxPassageTokens);
  if (config.positions === 'alibi') return { ...config, maxLength: Math.max(config.maxLength, longest) };
  requireLength(config, longest, 'lengths');
  return config;
}

const MODULES = ['', '1_Pooling', '2_Normalize'].map((path, idx) => ({
  idx,
  name: String(idx),
  path,
  type: `sentence_transformers.models.${['Transformer', 'Pooling', 'Normalize'][idx]}`,
}));

/** The keys of old and new versions of sentence-transformers differ; both read these. */
function poolingConfig(width: number) {
  const others = ['cls_token', 'max_tokens', 'mean_sqrt_len_tokens', 'weightedmean_tokens', 'lasttoken'];
  return {
    word_embedding_dimension: width,
    pooling_mode_mean_tokens: true,
    ...Object.fromEntries(others.map(mode => [`pooling_mode_${mode}`, false])),
    include_prompt: true,
  };
}

/** The tokenizer's own post-processor appends the token, within the length limit, wherever the directory is loaded. */
async function appendEosInTokenizer(path: string, eos: string): Promise<void> {
  const tokenizer = JSON.parse(await readInputText(path)) as {
    added_tokens: { id: number; content: string }[];
  };
  const { id } = tokenizer.added_tokens.find(({ content }) => content === eos)!;
  const [text, end] = [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: eos, type_id: 0 } }];
  const post_processor = {
    type: 'TemplateProcessing',
    single: [text, end],
    pair: [text, end, { Sequence: { id: 'B', type_id: 0 } }, end],
    special_tokens: { [eos]: { id: eos, ids: [id], tokens: [eos] } },
  };
  await writeFileAtomic(path, JSON.stringify({ ...tokenizer, post_processor }));
}

function modelCard({ config, settings, card }: EmbedderExport): string {
  const obstacles = transformersObstacles(config);
  const usage =
    obstacles.length > 0
      ? `Transformers has no class for this flavour of MPT (${obstacles.join('; ')}); isoflop reads it.`
      : [
          '```python',
          'from sentence_transformers import SentenceTransformer',
          '',
          'model = SentenceTransformer("path/to/this/folder")',
          'queries = model.encode(["what is a synset"], prompt_name="query")',
          'documents = model.encode(["A synset is a set of synonyms."], prompt_name="document")',
          'print(model.similarity(queries, documents))',
          '```',
        ].join('\n');
  return `---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags: [sentence-transformers, feature-extraction, retrieval, mpt]
---

# MPT embedder, ${config.layers} layers of width ${config.dModel}

Vectors are the mean of the final hidden states over all tokens${settings.appendEos ? ', the end-of-text token included,' : ''} scaled to unit length; compare them by cosine.

${usage}

${card.trim()}
`;
}
