/** From what a user types to a retriever: the word `bm25`, or a model directory. */
import { InputError, Problems } from '../base/index.ts';
import { countParameters, type EmbedderSettings } from '../models/index.ts';
import { Bm25Retriever, type Bm25RetrieverOptions } from './bm25-retriever.ts';
import { type DenseOptions, DenseRetriever } from './dense-retriever.ts';
import type { Retriever } from './retriever.ts';

export interface RetrieverChoice {
  readonly embedder: Partial<EmbedderSettings>;
  readonly vectors?: DenseOptions['vectors'] | undefined;
  readonly bm25: Omit<Bm25RetrieverOptions, 'threads'>;
  readonly threads?: number | undefined;
}

export interface OpenedRetriever {
  readonly retriever: Retriever;
  /** Parameters of a model; undefined for BM25. */
  readonly params?: number;
}

/** Opens what `model` names. Settings that only the other kind has are refused. */
export async function openRetriever(model: string, choice: RetrieverChoice): Promise<OpenedRetriever> {
  const { embedder, bm25, threads, vectors } = choice;
  const isBm25 = model === 'bm25';
  const problems = new Problems();
  for (const name of Object.keys(isBm25 ? { ...embedder, ...(vectors && { vectors }) } : {}))
    problems.add(name, 'is a setting of embedders, and bm25 is none: leave it out');
  const { analyzer, parameters } = bm25;
  for (const name of isBm25 ? [] : Object.keys({ ...(analyzer && { analyzer }), ...parameters }))
    problems.add(name, 'is a setting of BM25, and a model directory was given: leave it out');
  problems.throwIfAny();
  if (isBm25) return { retriever: new Bm25Retriever({ ...bm25, threads }) };
  const retriever = await openEmbedder(model, choice);
  return { retriever, params: countParameters(retriever.encoder.config).total };
}

/** The same where only an embedder will do. */
export async function openEmbedder(
  model: string,
  { embedder, vectors, threads }: Omit<RetrieverChoice, 'bm25'>,
): Promise<DenseRetriever> {
  if (model === 'bm25') throw new InputError(model, 'makes no vectors: give a model directory');
  return DenseRetriever.open(model, {
    settings: embedder,
    ...(vectors && { vectors }),
    ...(threads !== undefined && { threads }),
  });
}
