/**
 * Text to token shards: streamed, in several threads, into a folder that is whole once it has a manifest. The bytes of every file depend on
 * the text, the tokenizer and the options alone; `kill -9` at any moment, and the same call goes on from the last checkpoint to the same bytes.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  canonicalJson,
  exists,
  hashOf,
  InputError,
  isAbort,
  mapOrdered,
  openPool,
  prettyJson,
  writeFileAtomic,
} from '../../base/index.ts';
import { type PackedTexts, packBatches, type Tokenizer } from '../../tokenizer/index.ts';
import { type DocumentBatch, identifySources, readDocuments, type TextSource } from '../text/source.ts';
import { type EncodedDocuments, type EncodeSettings, encodeDocuments } from './encode-documents.ts';
import type { EncodeWorkerData } from './encode-worker.ts';
import { HELD_OUT_RULE } from './held-out.ts';
import {
  clearFolder,
  documentsIn,
  mayBeCleared,
  removeJournal,
  resume,
  type Writers,
  writeJournal,
} from './journal.ts';
import {
  bytesPerToken,
  MANIFEST,
  readManifest,
  type ShardManifest,
  type ShardSpecification,
  specificationOf,
  specify,
  TOKENIZER,
} from './manifest.ts';
import { ShardWriter } from './shard-writer.ts';
import { verifyShards } from './verify.ts';

export interface ShardOptions {
  /** Share of the documents that is held out (default 0.01). */
  readonly heldOut?: number | undefined;
  /** Decides which documents these are (default 17). */
  readonly seed?: number | undefined;
  /** Tokens a shard (default 2^23). */
  readonly shardTokens?: number | undefined;
  /** Encoding threads (default: as many as there are cores). Makes no difference to the result. */
  readonly workers?: number | undefined;
  /** Bytes of text between checkpoints (default 256 MiB). Makes no difference to the result. */
  readonly checkpointBytes?: number | undefined;
  /** Bytes of text that a thread is given at a time (default 4 MiB). Makes no difference to the result. */
  readonly batchBytes?: number | undefined;
  /** Called with the bytes of the sources read so far and the tokens written. */
  readonly onProgress?: ((bytes: number, tokens: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Fills `folder` with the shards of all sources and returns the manifest; a folder that is finished already is only checked. */
export async function buildShards(
  sources: readonly TextSource[],
  tokenizer: Tokenizer,
  folder: string,
  options: ShardOptions = {},
): Promise<ShardManifest> {
  const spec = await specificationFor(sources, tokenizer, options);
  if (await exists(join(folder, MANIFEST))) return finished(folder, spec);
  const width = bytesPerToken(spec.dtype);
  const writers: Writers = {
    train: new ShardWriter(folder, 'train', spec.shardTokens, width),
    heldOut: new ShardWriter(folder, 'heldOut', spec.shardTokens, width),
  };
  await openFolder(folder, spec, tokenizer, writers);
  const emptyDocuments = await encodeInto(folder, spec, writers, sources, tokenizer, options);
  const manifest: ShardManifest = {
    ...spec,
    emptyDocuments,
    train: await writers.train.finish(),
    heldOut: await writers.heldOut.finish(),
  };
  await writeFileAtomic(join(folder, MANIFEST), prettyJson(manifest));
  await removeJournal(folder);
  return manifest;
}

async function specificationFor(
  sources: readonly TextSource[],
  tokenizer: Tokenizer,
  options: ShardOptions,
): Promise<ShardSpecification> {
  const { heldOut = 0.01, seed = 17, shardTokens = 1 << 23 } = options;
  if (!(heldOut >= 0 && heldOut < 1))
    throw new InputError('held-out share', `expected a number from 0 to below 1, found ${heldOut}`);
  return specify({
    shardTokens,
    tokenizer: { sha256: tokenizer.hash, vocabSize: tokenizer.vocabSize, eosId: tokenizer.eosId },
    split: { rule: HELD_OUT_RULE, seed, heldOut },
    sources: await identifySources(sources),
  });
}

async function finished(folder: string, spec: ShardSpecification): Promise<ShardManifest> {
  const manifest = await readManifest(folder);
  if (canonicalJson(specificationOf(manifest)) !== canonicalJson(spec))
    throw new InputError(
      folder,
      'holds shards of other text, another tokenizer or other options: remove it, or choose another folder',
    );
  for (const split of ['train', 'heldOut'] as const) await verifyShards(folder, manifest, split);
  await removeJournal(folder);
  return manifest;
}

/** Prepares a new folder, or brings the writers to where an unfinished one stands. */
async function openFolder(
  folder: string,
  spec: ShardSpecification,
  tokenizer: Tokenizer,
  writers: Writers,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (await resume(folder, hashOf(spec), bytesPerToken(spec.dtype), writers)) return;
  const stranger = (await readdir(folder)).find(name => name !== TOKENIZER && !mayBeCleared(name));
  if (stranger !== undefined)
    throw new InputError(
      folder,
      `holds ${stranger} but no token shards: choose an empty folder or a new one`,
    );
  await clearFolder(folder);
  await writeFileAtomic(join(folder, TOKENIZER), tokenizer.json);
  await writeJournal(folder, hashOf(spec), writers);
}

/** Encodes what is not in the folder yet; returns the number of empty documents in all sources. */
async function encodeInto(
  folder: string,
  spec: ShardSpecification,
  writers: Writers,
  sources: readonly TextSource[],
  tokenizer: Tokenizer,
  options: ShardOptions,
): Promise<number> {
  const { signal, checkpointBytes = 256 << 20, batchBytes } = options;
  const seen = { bytes: 0, emptyDocuments: 0 };
  const onRead = (bytes: number) => {
    seen.bytes = bytes;
  };
  const documents = countingEmpty(readDocuments(sources, { signal, onRead }), seen);
  const batches = packBatches(afterFirst(documentsIn(writers), documents), batchBytes);
  const workers = options.workers ?? availableParallelism();
  const encoder = openEncoder(tokenizer, spec, workers, signal);
  let unsaved = 0;
  try {
    for await (const { train, heldOut } of mapOrdered(batches, workers + 1, encoder.run)) {
      await writers.train.append(train);
      await writers.heldOut.append(heldOut);
      options.onProgress?.(seen.bytes, writers.train.counts.tokens + writers.heldOut.counts.tokens);
      signal?.throwIfAborted();
      unsaved += train.bytes + heldOut.bytes;
      if (unsaved < checkpointBytes) continue;
      await writeJournal(folder, hashOf(spec), writers);
      unsaved = 0;
    }
  } catch (error) {
    if (isAbort(error)) await writeJournal(folder, hashOf(spec), writers); // both writers have had the same batches
    throw error;
  } finally {
    await encoder.close();
  }
  return seen.emptyDocuments;
}

async function* countingEmpty(
  documents: AsyncIterable<DocumentBatch>,
  counter: { emptyDocuments: number },
): AsyncGenerator<readonly string[]> {
  for await (const { texts, empty } of documents) {
    counter.emptyDocuments += empty;
    yield texts;
  }
}

/** Skips the documents that are done: reading text anew costs little beside encoding it anew. */
async function* afterFirst(
  count: number,
  batches: AsyncIterable<readonly string[]>,
): AsyncGenerator<readonly string[]> {
  let left = count;
  for await (const texts of batches) {
    const skipped = Math.min(left, texts.length);
    left -= skipped;
    if (skipped < texts.length) yield skipped === 0 ? texts : texts.slice(skipped);
  }
}

interface Encoder {
  readonly run: (texts: PackedTexts) => Promise<EncodedDocuments>;
  readonly close: () => Promise<void>;
}

/** Encodes in threads, or in this one if one is enough. */
function openEncoder(
  tokenizer: Tokenizer,
  spec: ShardSpecification,
  workers: number,
  signal: AbortSignal | undefined,
): Encoder {
  const { seed, heldOut } = spec.split;
  const settings: EncodeSettings = {
    ...{ seed, heldOut },
    eosId: spec.tokenizer.eosId,
    width: bytesPerToken(spec.dtype),
  };
  if (workers <= 1)
    return { run: texts => encodeDocuments(texts, tokenizer, settings), close: async () => undefined };
  const workerData: EncodeWorkerData = { ...settings, tokenizerJson: tokenizer.json };
  const pool = openPool<PackedTexts, EncodedDocuments>(new URL('./encode-worker.js', import.meta.url), {
    ...{ workers, workerData, signal },
  });
  return { run: texts => pool.run(texts, [texts.bytes.buffer]), close: () => pool.close() };
}
