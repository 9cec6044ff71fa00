/**
 * The manifest of a folder of token shards: what was read, how it was cut up, and every file with its hash. It is written last, so a folder
 * that has one is complete. Shards are raw little-endian unsigned integers, nothing else.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { exists, InputError, Problems, readInputJson } from '../../base/index.ts';

export const MANIFEST = 'manifest.json';
export const TOKENIZER = 'tokenizer.json';
const FORMAT = 'isoflop-token-shards';
export const FORMAT_VERSION = 1;

export type Split = 'train' | 'heldOut';

/** `train-00000.bin`, `heldout-00000.bin`. */
export function shardName(split: Split, index: number): string {
  return `${split.toLowerCase()}-${String(index).padStart(5, '0')}.bin`;
}

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hex');

const shard = z.strictObject({
  file: z.string().regex(/^(train|heldout)-\d{5,}\.bin$/),
  tokens: count,
  /** Largest token id in the shard. */
  maxId: count,
  sha256: hash,
});

const splitCounts = z.strictObject({
  documents: count,
  /** Tokens, one end-of-text token a document included. */
  tokens: count,
  /** UTF-8 bytes of the documents. */
  bytes: count,
  shards: z.array(shard),
});

/** Everything that decides the bytes of the shards. */
const specification = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(FORMAT_VERSION),
  dtype: z.enum(['uint16', 'uint32']),
  /** Tokens in every shard but the last of a split. */
  shardTokens: count.min(1),
  tokenizer: z.strictObject({ sha256: hash, vocabSize: count.min(1), eosId: count }),
  split: z.strictObject({
    rule: z.string(),
    seed: count,
    /** Share of documents held out. */
    heldOut: z.number().min(0).max(1),
  }),
  sources: z
    .array(z.strictObject({ name: z.string(), reading: z.string(), bytes: count, sha256: hash }))
    .min(1),
});

export const manifestSchema = specification.extend({
  /** Documents without text, which were left out. */
  emptyDocuments: count,
  train: splitCounts,
  heldOut: splitCounts,
});

export type ShardRecord = z.infer<typeof shard>;
export type SplitCounts = z.infer<typeof splitCounts>;
export type ShardSpecification = z.infer<typeof specification>;
export type ShardManifest = z.infer<typeof manifestSchema>;

export function specify(parts: Omit<ShardSpecification, 'format' | 'version' | 'dtype'>): ShardSpecification {
  const dtype = parts.tokenizer.vocabSize <= 65536 ? 'uint16' : 'uint32';
  return { format: FORMAT, version: FORMAT_VERSION, dtype, ...parts };
}

export function specificationOf(manifest: ShardManifest): ShardSpecification {
  const { emptyDocuments, train, heldOut, ...spec } = manifest;
  return spec;
}

export const bytesPerToken = (dtype: ShardSpecification['dtype']) => (dtype === 'uint16' ? 2 : 4);

/** Reads and checks a folder's manifest; does not look at the shards. Throws `InputError` with all that is wrong. */
export async function readManifest(folder: string): Promise<ShardManifest> {
  const path = join(folder, MANIFEST);
  if ((await exists(folder)) && !(await exists(path)))
    throw new InputError(
      folder,
      `has no ${MANIFEST}: it holds no token shards, or making them was interrupted; run isoflop shards build again`,
    );
  const value = await readInputJson(path, 256 << 20);
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== FORMAT_VERSION)
    throw new InputError(path, `has format version ${version}; this program reads ${FORMAT_VERSION}`);
  return checkManifest(value, path);
}

export function checkManifest(value: unknown, where: string): ShardManifest {
  const problems = new Problems();
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success)
    for (const issue of parsed.error.issues) problems.add(where, `${issue.path.join('.')}: ${issue.message}`);
  problems.throwIfAny();
  const manifest = (parsed as { data: ShardManifest }).data;
  const { vocabSize, eosId } = manifest.tokenizer;
  if (eosId >= vocabSize) problems.add(where, `eosId ${eosId} is outside the vocabulary of ${vocabSize}`);
  if (manifest.dtype === 'uint16' && vocabSize > 65536)
    problems.add(where, `a vocabulary of ${vocabSize} does not fit into uint16`);
  for (const split of ['train', 'heldOut'] as const) checkSplit(manifest, split, where, problems);
  problems.throwIfAny();
  return manifest;
}

function checkSplit(manifest: ShardManifest, split: Split, where: string, problems: Problems): void {
  const { shards, tokens } = manifest[split];
  const last = shards.length - 1;
  shards.forEach((record, i) => {
    if (record.file !== shardName(split, i))
      problems.add(where, `${split}.shards.${i}: expected file ${shardName(split, i)}, found ${record.file}`);
    const full = i < last ? record.tokens === manifest.shardTokens : record.tokens <= manifest.shardTokens;
    if (!full || record.tokens === 0)
      problems.add(
        where,
        `${record.file}: ${record.tokens} tokens do not fit shards of ${manifest.shardTokens}`,
      );
    if (record.maxId >= manifest.tokenizer.vocabSize)
      problems.add(where, `${record.file}: token id ${record.maxId} is outside the vocabulary`);
  });
  const sum = shards.reduce((total, record) => total + record.tokens, 0);
  if (sum !== tokens) problems.add(where, `${split}: ${tokens} tokens, but its shards hold ${sum}`);
}
