/** A decoder with its tokenizer, ready to be asked. */
import { InputError } from '../base/index.ts';
import type { Tensor } from '../graph/index.ts';
import { type MptConfig, readMptDirectory } from '../models/index.ts';
import { Tokenizer } from '../tokenizer/index.ts';

export interface IclModel {
  /** What results call it. */
  readonly name: string;
  readonly config: MptConfig;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly tokenizer: Tokenizer;
}

/** Reads a model directory. Throws an `InputError` where it has no tokenizer, or one that does not fit. */
export async function loadIclModel(path: string): Promise<IclModel> {
  const { config, weights, tokenizerPath } = await readMptDirectory(path);
  if (!tokenizerPath) throw new InputError(path, 'has no tokenizer.json, which prompts are encoded with');
  const tokenizer = await Tokenizer.fromFile(tokenizerPath);
  if (tokenizer.vocabSize > config.vocabSize) {
    const sizes = `the tokenizer has ${tokenizer.vocabSize} tokens, the model ${config.vocabSize}`;
    throw new InputError(path, `${sizes}: they do not belong together`);
  }
  return { name: path, config, weights, tokenizer };
}
