/** Reading a Hugging Face model directory of MPT: configuration, weights (any of the forms they come in), tokenizer. */
import { join } from 'node:path';
import { exists, InputError, Problems } from '../../base/index.ts';
import { sameNumbers, sameShape, type Tensor } from '../../graph/index.ts';
import { type MptConfig, mptParameters, type ParameterSpec, TOKEN_EMBEDDING } from '../mpt/index.ts';
import { Checkpoint } from './checkpoint.ts';
import type { ElementType } from './element-types.ts';
import { CONFIG_FILE, type MptDescription, readMptConfig } from './mpt-config.ts';
import { quoted } from './unique-json.ts';

export const TOKENIZER_FILE = 'tokenizer.json';

/** Where Transformers and llm-foundry keep an untied output head. */
const OUTPUT_HEAD = 'lm_head.weight';

/** The name of the base model inside the language model; directories saved from the base model alone lack it. */
const PREFIX = 'transformer.';

const WEIGHT_TYPES: ReadonlySet<ElementType> = new Set(['F32', 'F16', 'BF16']);

/** A model directory, checked and open. Weights are read one at a time, so a model larger than memory can be gone through. */
export class MptDirectory {
  readonly path: string;
  readonly config: MptConfig;
  /** The `tokenizer.json` beside the weights. */
  readonly tokenizerPath: string | undefined;
  readonly #checkpoint: Checkpoint;
  /** Parameter -> its name in the files. */
  readonly #storedNames: ReadonlyMap<string, string>;

  private constructor(
    path: string,
    config: MptConfig,
    tokenizerPath: string | undefined,
    checkpoint: Checkpoint,
    storedNames: ReadonlyMap<string, string>,
  ) {
    this.path = path;
    this.config = config;
    this.tokenizerPath = tokenizerPath;
    this.#checkpoint = checkpoint;
    this.#storedNames = storedNames;
  }

  /**
   * Reads `config.json` and the headers of the weights, and compares the two: missing, surplus and misshapen tensors are reported together.
   * An output head of its own is accepted where it equals the token embedding.
   */
  static async open(path: string): Promise<MptDirectory> {
    const description = await readMptConfig(join(path, CONFIG_FILE));
    const checkpoint = await Checkpoint.open(path);
    try {
      const storedNames = matchParameters(checkpoint, description);
      await requireTiedHead(checkpoint, storedNames.get(TOKEN_EMBEDDING)!);
      const tokenizer = join(path, TOKENIZER_FILE);
      const tokenizerPath = (await exists(tokenizer)) ? tokenizer : undefined;
      return new MptDirectory(path, description.config, tokenizerPath, checkpoint, storedNames);
    } catch (error) {
      await checkpoint.close();
      throw error;
    }
  }

  /** One parameter, as float32. Throws an `InputError` where a number is not finite. */
  async read(name: string): Promise<Tensor> {
    return this.#checkpoint.read(this.#storedNames.get(name) ?? name);
  }

  async close(): Promise<void> {
    await this.#checkpoint.close();
  }
}

export interface MptModel {
  readonly config: MptConfig;
  /** Every parameter as float32, in the model's order and under its names. */
  readonly weights: Map<string, Tensor>;
  readonly tokenizerPath?: string;
}

/** Reads a whole model into memory. */
export async function readMptDirectory(path: string): Promise<MptModel> {
  const directory = await MptDirectory.open(path);
  try {
    const { config, tokenizerPath } = directory;
    const weights = new Map<string, Tensor>();
    for (const { name } of mptParameters(config)) weights.set(name, await directory.read(name));
    return { config, weights, ...(tokenizerPath !== undefined && { tokenizerPath }) };
  } finally {
    await directory.close();
  }
}

/** Finds each parameter's tensor, with or without the prefix, and reports everything that does not fit. */
function matchParameters(
  checkpoint: Checkpoint,
  { config, tied }: MptDescription,
): ReadonlyMap<string, string> {
  const problems = new Problems();
  const report = (message: string) => problems.add(checkpoint.path, message);
  const prefix = checkpoint.names.some(name => name.startsWith(PREFIX)) ? '' : PREFIX;
  const storedNames = new Map<string, string>();
  for (const spec of mptParameters(config)) {
    const stored = spec.name.slice(prefix.length);
    storedNames.set(spec.name, stored);
    checkTensor(checkpoint, spec, stored, report);
  }
  const used = new Set([...storedNames.values(), OUTPUT_HEAD]);
  for (const name of checkpoint.names)
    if (!used.has(name))
      report(`tensor ${quoted(name)} is none of the model's that ${CONFIG_FILE} describes`);
  if (!tied && !checkpoint.describe(OUTPUT_HEAD))
    report(
      `tensor ${quoted(OUTPUT_HEAD)} is missing: ${CONFIG_FILE} says the head is not tied to the embedding`,
    );
  problems.throwIfAny();
  return storedNames;
}

function checkTensor(
  checkpoint: Checkpoint,
  { shape }: ParameterSpec,
  stored: string,
  report: (message: string) => void,
): void {
  const found = checkpoint.describe(stored);
  if (!found) {
    report(`tensor ${quoted(stored)} is missing`);
    return;
  }
  if (!sameShape(found.shape, shape))
    report(`tensor ${quoted(stored)} is [${found.shape.slice(0, 16)}], ${CONFIG_FILE} makes it [${shape}]`);
  if (!WEIGHT_TYPES.has(found.elementType))
    report(
      `tensor ${quoted(stored)} is ${found.elementType}, expected weights in ${[...WEIGHT_TYPES].join(', ')}`,
    );
}

/** isoflop's output head is the token embedding; a head with numbers of its own would be a different model. */
async function requireTiedHead(checkpoint: Checkpoint, embedding: string): Promise<void> {
  if (!checkpoint.describe(OUTPUT_HEAD)) return;
  if (!sameNumbers(await checkpoint.read(OUTPUT_HEAD), await checkpoint.read(embedding)))
    throw new InputError(
      checkpoint.path,
      `tensor ${quoted(OUTPUT_HEAD)} differs from the token embedding: isoflop's MPT has a tied output head only`,
    );
}
