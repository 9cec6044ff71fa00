/** What a mining run depends on, as one hash: unfinished work goes on only where all of it is the same. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, hashOf, sha256File, unreadable } from '../base/index.ts';
import type { MineOptions } from './options.ts';

/** Raised whenever the same inputs would give other pairs. */
const METHOD_VERSION = 2;

export async function fingerprintOf(input: string, options: MineOptions): Promise<string> {
  const { settings, split, corpus, analyzer, parameters, index, candidates, saveCandidates, removeSelf } =
    options;
  const files = [
    ...(await inputFiles(input, split)),
    ...(corpus === undefined ? [] : await inputFiles(corpus, split)),
    ...[index, candidates].filter(path => path !== undefined),
  ];
  const hashes: Record<string, string> = {};
  for (const path of files) if (await exists(path)) hashes[path] = await sha256File(path);
  return hashOf({
    version: METHOD_VERSION,
    ...{ settings, split, analyzer, parameters, removeSelf: removeSelf === true },
    ...{ savesCandidates: saveCandidates !== undefined, hashes },
  });
}

/** The file, or those of a collection folder that mining reads. */
async function inputFiles(input: string, split: string): Promise<string[]> {
  const found = await stat(input).catch((error: unknown) => {
    throw unreadable(input, error);
  });
  if (!found.isDirectory()) return [input];
  const names = await readdir(input);
  const read = names
    .filter(name => /^(corpus|collection|queries|qrels)\b.*\.(jsonl|tsv)(\.gz)?$/.test(name))
    .sort();
  const qrels = [`${split}.tsv`, `${split}.tsv.gz`].map(name => join('qrels', name));
  return [...read, ...qrels].map(name => join(input, name));
}
