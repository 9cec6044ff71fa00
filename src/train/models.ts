/** A finished model as a directory that other tools can open. */
import { join } from 'node:path';
import { z } from 'zod';
import { prettyJson, publishFolder, readConfig, writeFileAtomic } from '../base/index.ts';
import type { Tensor } from '../graph/index.ts';
import {
  CONVENTIONS,
  type EmbedderExport,
  type FlopsConvention,
  type MptConfig,
  type SpecialTokens,
  type TokenizerFiles,
  writeEmbedderDirectory,
  writeMptDirectory,
} from '../models/index.ts';
import type { Tokenizer } from '../tokenizer/index.ts';

/** What is known of a pretrained model: `isoflop.json` in its directory. */
export interface ModelFacts {
  readonly tokens: number;
  readonly flops: number;
  readonly flopsConvention: FlopsConvention;
  readonly params: number;
  readonly paramsNonEmbedding: number;
  /** Null for a model that was not trained. */
  readonly heldOutLossNats: number | null;
  readonly heldOutBitsPerByte: number | null;
  /** Passes over the training text: 0.4 for four tenths of it. */
  readonly epochs: number;
  readonly seed: number;
  readonly dataHash: string;
}

export const FACTS_FILE = 'isoflop.json';

const factsSchema: z.ZodType<ModelFacts> = z.object({
  tokens: z.number(),
  flops: z.number(),
  flopsConvention: z.enum(CONVENTIONS),
  params: z.number(),
  paramsNonEmbedding: z.number(),
  heldOutLossNats: z.number().nullable(),
  heldOutBitsPerByte: z.number().nullable(),
  epochs: z.number(),
  seed: z.number(),
  dataHash: z.string(),
});

/** The facts beside a model that isoflop made. */
export function readFacts(folder: string): Promise<ModelFacts> {
  return readConfig(join(folder, FACTS_FILE), factsSchema, {});
}

export interface FinishedModel {
  readonly model: MptConfig;
  readonly tokenizer: TokenizerFiles;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly facts: ModelFacts;
}

/** Writes a Hugging Face directory with the facts beside it. It appears whole; one that is there already is kept. */
export async function publishModel(
  path: string,
  { model, tokenizer, weights, facts }: FinishedModel,
): Promise<void> {
  await publishFolder(path, async folder => {
    await writeMptDirectory(folder, model, weights, { tokenizer });
    await writeFileAtomic(join(folder, FACTS_FILE), prettyJson(facts));
  });
}

/** Writes an embedder. It appears whole; one that is there already is kept. */
export async function publishEmbedder(path: string, model: EmbedderExport): Promise<void> {
  await publishFolder(path, folder => writeEmbedderDirectory(folder, model));
}

/** The tokens by role, as Transformers wants them named; llm-foundry pads with the end-of-text token where there is no other. */
export function specialTokensOf(tokenizer: Tokenizer): SpecialTokens {
  const eos = tokenizer.idToToken(tokenizer.eosId)!;
  return { eos, bos: eos, pad: tokenizer.idToToken(tokenizer.padId) ?? eos };
}
