/** Writing a Hugging Face model directory of MPT that Transformers and llm-foundry load. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, InternalError, prettyJson, writeFileAtomic } from '../../base/index.ts';
import { sameShape, type Tensor } from '../../graph/index.ts';
import { countParameters, type MptConfig, mptParameters } from '../mpt/index.ts';
import { INDEX_FILE, SINGLE_FILE } from './checkpoint.ts';
import { CONFIG_FILE, formatMptConfig, type TorchDtype, transformersObstacles } from './mpt-config.ts';
import {
  storedBytes,
  type TensorSource,
  type WeightType,
  writeSafetensorsFrom,
} from './safetensors-write.ts';
import { type TokenizerFiles, writeTokenizerFiles } from './tokenizer-files.ts';

/** Weights in memory, or read one by one from somewhere (an open `MptDirectory`, for one). */
export type MptWeights =
  | ReadonlyMap<string, Tensor>
  | { readonly read: (name: string) => Tensor | Promise<Tensor> };

export interface MptExportOptions {
  /** Default `F32`. The narrower types round to nearest. */
  readonly weightType?: WeightType;
  /** Weights beyond this many bytes go into several files with an index (default 5 GB, as Transformers 4 has it). */
  readonly maxShardBytes?: number;
  /** Copied beside the weights. */
  readonly tokenizer?: TokenizerFiles;
  /** Refuse a model that Transformers' MptForCausalLM cannot compute, instead of writing it in llm-foundry's form. */
  readonly forTransformers?: boolean;
}

const TORCH_DTYPES: Readonly<Record<WeightType, TorchDtype>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

const DEFAULT_SHARD_BYTES = 5e9;

/**
 * Writes `config.json`, the weights and, if given, the tokenizer into a folder. What an earlier model left there under the same names is removed
 * first and `config.json` is written last, so a folder that holds one is whole: after a crash, write it again.
 */
export async function writeMptDirectory(
  path: string,
  config: MptConfig,
  weights: MptWeights,
  options: MptExportOptions = {},
): Promise<void> {
  const { weightType = 'F32', maxShardBytes = DEFAULT_SHARD_BYTES, tokenizer } = options;
  const obstacles = options.forTransformers ? transformersObstacles(config) : [];
  if (obstacles.length > 0)
    throw new InputError(obstacles.map(message => ({ where: 'export for Transformers', message })));
  const sources = sourcesOf(config, weights);
  await removeEarlierModel(path);
  const tokenIds = tokenizer ? await writeTokenizerFiles(path, tokenizer, config) : {};
  await writeShards(path, config, sources, weightType, maxShardBytes);
  const description = { ...formatMptConfig(config, TORCH_DTYPES[weightType]), ...tokenIds };
  await writeFileAtomic(join(path, CONFIG_FILE), prettyJson(description));
}

function sourcesOf(config: MptConfig, weights: MptWeights): TensorSource[] {
  return mptParameters(config).map(({ name, shape }) => ({
    name,
    dtype: 'float32',
    shape,
    load: async () => {
      const tensor = weights instanceof Map ? weights.get(name) : await (weights as Reader).read(name);
      if (!tensor || !sameShape(tensor.shape, shape))
        throw new InternalError(
          `parameter ${name} is ${tensor ? `[${tensor.shape}]` : 'missing'}, not [${shape}]`,
        );
      return tensor;
    },
  }));
}

type Reader = Exclude<MptWeights, ReadonlyMap<string, Tensor>>;

/** The files this module writes, first of all the one that says the folder is whole. */
const OUR_FILES =
  /^(config\.json|model\.safetensors|model\.safetensors\.index\.json|model-\d{5}-of-\d{5}\.safetensors)$/;

async function removeEarlierModel(path: string): Promise<void> {
  await rm(join(path, CONFIG_FILE), { force: true });
  for (const name of await readdir(path).catch(() => []))
    if (OUR_FILES.test(name)) await rm(join(path, name));
}

async function writeShards(
  path: string,
  config: MptConfig,
  sources: readonly TensorSource[],
  weightType: WeightType,
  maxShardBytes: number,
): Promise<void> {
  const shards = divide(sources, source => storedBytes(source, weightType), maxShardBytes);
  const fileName = (i: number) =>
    shards.length === 1
      ? SINGLE_FILE
      : `model-${fiveDigits(i + 1)}-of-${fiveDigits(shards.length)}.safetensors`;
  for (const [i, shard] of shards.entries())
    await writeSafetensorsFrom(join(path, fileName(i)), shard, { weightType, metadata: { format: 'pt' } });
  if (shards.length === 1) return;
  const entries = shards.flatMap((shard, i) => shard.map(({ name }) => [name, fileName(i)] as const));
  const index = {
    metadata: {
      total_parameters: countParameters(config).total,
      total_size: sources.reduce((sum, source) => sum + storedBytes(source, weightType), 0),
    },
    weight_map: Object.fromEntries(entries),
  };
  await writeFileAtomic(join(path, INDEX_FILE), prettyJson(index));
}

const fiveDigits = (n: number): string => String(n).padStart(5, '0');

/** Cuts a list into runs of at most `most` bytes; an item larger than that has a run of its own. */
function divide<T>(items: readonly T[], bytesOf: (item: T) => number, most: number): T[][] {
  const runs: T[][] = [];
  let room = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    if (runs.length === 0 || bytes > room) {
      runs.push([]);
      room = most;
    }
    runs.at(-1)!.push(item);
    room -= bytes;
  }
  return runs;
}
