/** An embedder as a retriever: documents become vectors block by block, in memory or on the disk, and every query is compared with all of them. */
import { join } from 'node:path';
import type { Json } from '../base/index.ts';
import type { DocumentBatch } from '../bm25/index.ts';
import {
  type EmbeddingBlock,
  Embeddings,
  EmbeddingsWriter,
  Encoder,
  type EncoderOptions,
  exactSearch,
  type Role,
  type VectorType,
} from '../dense/index.ts';
import { hashWeights } from '../train/index.ts';
import { type Collection, nameOf } from './collection.ts';
import type { Effects, Ranked, RankOptions, Retriever } from './retriever.ts';

export interface DenseOptions extends EncoderOptions {
  /** Of vectors kept on the disk; fp16 halves them, and changes scores by about 1e-4. */
  readonly vectors?: VectorType;
}

/** Texts to embed, in an order that stays. */
export interface TextSet {
  readonly label: string;
  readonly role: Role;
  /** How many there are, where that is known. */
  readonly size: number | undefined;
  readonly batches: (signal: AbortSignal) => AsyncIterable<DocumentBatch> | Iterable<DocumentBatch>;
}

export const passagesOf = ({ task, size, documents }: Collection): TextSet => ({
  ...{ label: task, role: 'passage', size },
  batches: documents,
});

export const queriesOf = ({ task, split, queries }: Collection): TextSet => ({
  ...{ label: `${task} ${split} queries`, role: 'query', size: queries.ids.length },
  batches: () => [queries],
});

/** Texts embedded at a time: enough for batches of equal lengths, few enough that an interruption costs little. */
const BLOCK_TEXTS = 4096;

export class DenseRetriever implements Retriever {
  readonly tag: string;
  readonly identity: Json;
  readonly encoder: Encoder;
  readonly #options: DenseOptions;

  private constructor(encoder: Encoder, tag: string, identity: Json, options: DenseOptions) {
    this.encoder = encoder;
    this.tag = tag;
    this.identity = identity;
    this.#options = options;
  }

  /** Opens an embedder, or any MPT checkpoint, which is then used by the mean of its final states. */
  static async open(path: string, options: DenseOptions = {}): Promise<DenseRetriever> {
    const encoder = await Encoder.open(path, options);
    const weights = await hashWeights(path);
    const { settings, tokenizer } = encoder;
    const { vectors = 'f32' } = options;
    const identity = { weights, tokenizer: tokenizer.hash, settings: { ...settings }, vectors };
    return new DenseRetriever(encoder, nameOf(path), identity, options);
  }

  /** The same around an encoder that is open already; `name` stands for the model. */
  static of(encoder: Encoder, name: string, options: DenseOptions = {}): DenseRetriever {
    return new DenseRetriever(encoder, name, { name, settings: { ...encoder.settings } }, options);
  }

  async rank(collection: Collection, options: RankOptions): Promise<Ranked> {
    const { k, progress, signal, scratch, corpusHash } = options;
    const { queries, removeSelf, task } = collection;
    const vectors = await this.encoder.encode(queries.texts, 'query', { signal, names: queries.ids });
    const passages = passagesOf(collection);
    const blocks = scratch
      ? (await this.embedTo(join(scratch, 'vectors'), passages, corpusHash ?? '', options)).blocks()
      : this.embed(passages, options);
    const searching = scratch ? progress.start(`search ${task}`, undefined, 'documents') : undefined;
    const { threads, provider } = this.#options;
    let documents = 0;
    const hits = await exactSearch({ ids: queries.ids, vectors }, blocks, {
      ...{ k, removeSelf, signal },
      ...(threads !== undefined && { threads }),
      ...(provider !== undefined && { provider }),
      onBlock: rows => {
        documents += rows;
        searching?.update(documents);
      },
    });
    searching?.finish();
    return { hits, documents };
  }

  /** Embeds texts into a folder, or goes on where an earlier call stopped. `source` is the hash of what the texts come from. */
  async embedTo(folder: string, texts: TextSet, source: string, effects: Effects): Promise<Embeddings> {
    const description = { model: this.identity, role: texts.role, source };
    const { vectors = 'f32' } = this.#options;
    const writer = await EmbeddingsWriter.open(folder, description, this.encoder.dimension, vectors);
    for await (const block of this.embed(texts, effects, writer.rows)) await writer.write(block);
    await writer.finish();
    return Embeddings.open(folder);
  }

  /** Texts as blocks of vectors, the first `done` texts left out. */
  async *embed(texts: TextSet, { progress, signal }: Effects, done = 0): AsyncGenerator<EmbeddingBlock> {
    const task = progress.start(`embed ${texts.label}`, texts.size, 'texts');
    let first = 0;
    for await (const block of inBlocks(texts.batches(signal), BLOCK_TEXTS)) {
      const skip = Math.max(0, done - first);
      first += block.ids.length;
      task.update(Math.min(first, done));
      if (skip >= block.ids.length) continue;
      const ids = block.ids.slice(skip);
      let embedded = first - ids.length;
      const onBatch = (_tokens: number, count: number) => {
        embedded += count;
        task.update(embedded);
      };
      const options = { signal, names: ids, onBatch };
      yield { ids, vectors: await this.encoder.encode(block.texts.slice(skip), texts.role, options) };
    }
    task.finish();
  }

  release(): Promise<void> {
    return this.encoder.release();
  }
}

/** The same documents in blocks of one size, whatever the batches they come in; the last is smaller. */
export async function* inBlocks(
  batches: AsyncIterable<DocumentBatch> | Iterable<DocumentBatch>,
  size: number,
): AsyncGenerator<DocumentBatch> {
  let [ids, texts]: [string[], string[]] = [[], []];
  for await (const batch of batches) {
    for (let from = 0; from < batch.ids.length; ) {
      const to = Math.min(batch.ids.length, from + size - ids.length);
      ids.push(...batch.ids.slice(from, to));
      texts.push(...batch.texts.slice(from, to));
      from = to;
      if (ids.length < size) continue;
      yield { ids, texts };
      [ids, texts] = [[], []];
    }
  }
  if (ids.length > 0) yield { ids, texts };
}
