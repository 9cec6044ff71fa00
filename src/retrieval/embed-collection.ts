/**
 * A collection as vectors in a folder, and the search in them: what `isoflop embed` and `isoflop search` do.
 *
 *     collection.json     model, collection, whether self-hits are left out; written first
 *     passages/           vectors of the documents (see `dense/embeddings.ts`)
 *     queries-SPLIT/      vectors of the judged queries of a split
 */
import { join } from 'node:path';
import { z } from 'zod';
import {
  canonicalJson,
  exists,
  InputError,
  prettyJson,
  readConfig,
  readInputJson,
  writeAtomically,
  writeFileAtomic,
} from '../base/index.ts';
import { runLines, runSeparator } from '../data/index.ts';
import { type EmbeddingBlock, Embeddings, exactSearch } from '../dense/index.ts';
import { type CollectionOptions, hashCollection, openCollection } from './collection.ts';
import type { DenseRetriever } from './dense-retriever.ts';
import { passagesOf, queriesOf } from './dense-retriever.ts';
import type { Effects } from './retriever.ts';

const COLLECTION_FILE = 'collection.json';

const collectionSchema = z.strictObject({
  format: z.literal('isoflop-embedded-collection'),
  version: z.literal(1),
  /** Names the runs. */
  model: z.string(),
  task: z.string(),
  removeSelf: z.boolean(),
  /** The split whose queries were embedded first. */
  split: z.string(),
});

type EmbeddedCollection = z.infer<typeof collectionSchema>;

export interface EmbedSummary {
  readonly folder: string;
  readonly task: string;
  readonly split: string;
  readonly documents: number;
  readonly queries: number;
  readonly dimension: number;
  /** Of this call: an earlier one's are not counted again. Without padding. */
  readonly tokens: number;
  readonly paddingShare: number;
}

/** Embeds a collection's documents and the judged queries of one split. The same call goes on where an earlier one stopped. */
export async function embedCollection(
  retriever: DenseRetriever,
  beirFolder: string,
  folder: string,
  options: CollectionOptions,
  effects: Effects,
): Promise<EmbedSummary> {
  const collection = await openCollection(beirFolder, options);
  const { task, split, removeSelf } = collection;
  const hashes = await hashCollection(beirFolder, split);
  await claim(folder, {
    ...{ format: 'isoflop-embedded-collection', version: 1, model: retriever.tag },
    ...{ task, removeSelf, split },
  });
  const queries = await retriever.embedTo(
    join(folder, `queries-${split}`),
    queriesOf(collection),
    `${hashes.queries} ${hashes.qrels}`,
    effects,
  );
  const passages = await retriever.embedTo(
    join(folder, 'passages'),
    passagesOf(collection),
    hashes.corpus,
    effects,
  );
  const { tokens, paddedTokens } = retriever.encoder.work;
  return {
    ...{ folder, task, split },
    documents: passages.manifest.count,
    queries: queries.manifest.count,
    dimension: passages.dimension,
    tokens,
    paddingShare: paddedTokens === 0 ? 0 : 1 - tokens / paddedTokens,
  };
}

async function claim(folder: string, description: EmbeddedCollection): Promise<void> {
  const file = join(folder, COLLECTION_FILE);
  if (!(await exists(file))) return writeFileAtomic(file, prettyJson(description));
  const found = await readConfig(file, collectionSchema, {});
  if (canonicalJson({ ...found, split: description.split }) !== canonicalJson(description))
    throw new InputError(
      folder,
      `holds vectors of ${found.task} by ${found.model} (self-hits ${found.removeSelf ? 'left out' : 'kept'}), not of ${description.task} by ${description.model}: choose another folder`,
    );
}

export interface SearchOptions {
  readonly k: number;
  /** Default: the split embedded first. */
  readonly split?: string | undefined;
  /** Default: as the collection was embedded. */
  readonly removeSelf?: boolean | undefined;
  readonly threads?: number | undefined;
}

export interface VectorSearchSummary {
  readonly run: string;
  readonly model: string;
  readonly split: string;
  readonly queries: number;
  readonly documents: number;
  readonly hits: number;
  readonly removeSelf: boolean;
}

/** Compares every embedded query with every embedded document and writes a TREC run. */
export async function searchEmbedded(
  folder: string,
  runPath: string,
  options: SearchOptions,
  { progress, signal }: Effects,
): Promise<VectorSearchSummary> {
  const file = join(folder, COLLECTION_FILE);
  if (!(await exists(file)))
    throw new InputError(folder, `has no ${COLLECTION_FILE}: expected a folder made by isoflop embed`);
  const found = await readConfig(file, collectionSchema, {});
  const { k, split = found.split, removeSelf = found.removeSelf, threads } = options;
  const queries = await allOf(await Embeddings.open(join(folder, `queries-${split}`)));
  const passages = await Embeddings.open(join(folder, 'passages'));
  await requireSameModel(folder, split);
  const task = progress.start(`search ${found.task}`, passages.manifest.count, 'documents');
  let [documents, total] = [0, 0];
  const hits = await exactSearch(queries, passages.blocks(), {
    ...{ k, removeSelf, signal },
    ...(threads !== undefined && { threads }),
    onBlock: rows => {
      documents += rows;
      task.update(documents);
    },
  });
  task.finish();
  const separator = runSeparator([...queries.ids, ...hits.flatMap(list => list.map(({ id }) => id))]);
  await writeAtomically(runPath, async out => {
    for (const [q, list] of hits.entries()) {
      await out.write(runLines(queries.ids[q]!, list, found.model, separator));
      total += list.length;
    }
  });
  const { model } = found;
  return { run: runPath, model, split, queries: queries.ids.length, documents, hits: total, removeSelf };
}

async function allOf(embeddings: Embeddings): Promise<EmbeddingBlock> {
  const ids: string[] = [];
  const vectors = new Float32Array(embeddings.manifest.count * embeddings.dimension);
  for await (const block of embeddings.blocks()) {
    vectors.set(block.vectors, ids.length * embeddings.dimension);
    for (const id of block.ids) ids.push(id);
  }
  return { ids, vectors };
}

/** Queries of one model and documents of another would give scores that mean nothing. */
async function requireSameModel(folder: string, split: string): Promise<void> {
  const parts = ['passages', `queries-${split}`].map(name => join(folder, name, 'embeddings.json'));
  const [a, b] = await Promise.all(parts.map(modelOf));
  if (a !== b)
    throw new InputError(folder, 'queries and documents were embedded by different models: embed again');
}

async function modelOf(file: string): Promise<string> {
  const description = (await readInputJson(file)) as { readonly of?: { readonly model?: unknown } } | null;
  return canonicalJson(description?.of?.model ?? null);
}

export function embedText({
  folder,
  documents,
  queries,
  dimension,
  tokens,
  paddingShare,
}: EmbedSummary): string {
  const padding = `${(100 * paddingShare).toFixed(1)}% padding`;
  return `${folder}: ${documents} documents and ${queries} queries as vectors of ${dimension} numbers (${tokens} tokens, ${padding})`;
}

export function vectorSearchText(summary: VectorSearchSummary): string {
  const { run, model, split, queries, documents, hits, removeSelf } = summary;
  const self = removeSelf ? ", documents with the query's own id left out" : '';
  return `${run}: ${hits} hits among ${documents} documents for ${queries} ${split} queries (${model}${self})`;
}
