/**
 * The weights of a Hugging Face model directory: `model.safetensors`, or several shards and an index that says which tensor lies where.
 * Opening one reads and checks all headers, and no weights.
 */
import { basename, join } from 'node:path';
import { exists, InputError, Problems } from '../../base/index.ts';
import type { Tensor } from '../../graph/index.ts';
import { type ReadOptions, SafetensorsFile } from './safetensors-file.ts';
import { MAX_HEADER_BYTES, type StoredTensor } from './safetensors-header.ts';
import { isJsonObject, quoted, readJsonObject } from './unique-json.ts';

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/** Shards of one checkpoint: even a model of a trillion parameters has fewer. Bounds the number of open files. */
const MAX_SHARDS = 1000;

export class Checkpoint {
  /** For messages: the file or the index. */
  readonly path: string;
  readonly #files: readonly SafetensorsFile[];
  readonly #fileOf: ReadonlyMap<string, SafetensorsFile>;

  private constructor(path: string, files: readonly SafetensorsFile[]) {
    this.path = path;
    this.#files = files;
    this.#fileOf = new Map(
      files.flatMap(file => [...file.header.tensors.keys()].map(name => [name, file] as const)),
    );
  }

  /** Opens the weights in a folder. Like Transformers, prefers one whole file to shards. */
  static async open(folder: string): Promise<Checkpoint> {
    const single = join(folder, SINGLE_FILE);
    if (await exists(single)) return new Checkpoint(single, [await SafetensorsFile.open(single)]);
    const index = join(folder, INDEX_FILE);
    if (await exists(index)) return new Checkpoint(index, await openShards(folder, index));
    throw new InputError(
      folder,
      `holds neither ${SINGLE_FILE} nor ${INDEX_FILE}: fetch the weights as safetensors (pickled .bin files are not read)`,
    );
  }

  get names(): readonly string[] {
    return [...this.#fileOf.keys()];
  }

  /** What the header says of a tensor; undefined where there is none of that name. */
  describe(name: string): StoredTensor | undefined {
    return this.#fileOf.get(name)?.header.tensors.get(name);
  }

  /** Reads one tensor from the file it lies in. */
  async read(name: string, options?: ReadOptions): Promise<Tensor> {
    const file = this.#fileOf.get(name);
    if (!file) throw new InputError(this.path, `has no tensor ${quoted(name)}`);
    return file.read(name, options);
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map(file => file.close()));
  }
}

async function openShards(folder: string, indexPath: string): Promise<SafetensorsFile[]> {
  const namesOf = await readIndex(indexPath);
  const opened: SafetensorsFile[] = [];
  try {
    const problems = new Problems();
    for (const [shard, expected] of namesOf) {
      const path = join(folder, shard);
      if (!(await exists(path))) {
        problems.add(indexPath, `shard ${shard} is missing: fetch it again`);
        continue;
      }
      const file = await SafetensorsFile.open(path);
      opened.push(file);
      compareWithIndex(file, expected, problems);
    }
    problems.throwIfAny();
    return opened;
  } catch (error) {
    await Promise.all(opened.map(file => file.close()));
    throw error;
  }
}

function compareWithIndex(file: SafetensorsFile, expected: ReadonlySet<string>, problems: Problems): void {
  const { tensors } = file.header;
  for (const name of expected)
    if (!tensors.has(name))
      problems.add(file.path, `has no tensor ${quoted(name)}, which the index says it holds`);
  for (const name of tensors.keys())
    if (!expected.has(name))
      problems.add(file.path, `holds tensor ${quoted(name)}, which the index does not say`);
}

/** Shard file -> the names of its tensors. */
async function readIndex(path: string): Promise<Map<string, Set<string>>> {
  const { weight_map: map } = await readJsonObject(path, MAX_HEADER_BYTES);
  if (!isJsonObject(map)) throw new InputError(path, 'has no weight_map from tensors to shards');
  const problems = new Problems();
  const namesOf = new Map<string, Set<string>>();
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !isShardName(shard))
      problems.add(
        path,
        `${quoted(name)} lies in ${quoted(String(shard))}, expected the name of a .safetensors file of the same folder`,
      );
    else namesOf.set(shard, (namesOf.get(shard) ?? new Set()).add(name));
  }
  if (namesOf.size > MAX_SHARDS) problems.add(path, `names ${namesOf.size} shards, more than ${MAX_SHARDS}`);
  problems.throwIfAny();
  return namesOf;
}

/** A plain file name: no folder to go up or down to. */
function isShardName(name: string): boolean {
  return /^[^/\\\0]+\.safetensors$/.test(name) && basename(name) === name;
}
