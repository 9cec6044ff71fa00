/** A public collection on this machine: fetched, checked, unpacked and published as one folder, or found there already. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { exists, InputError, type Progress, publishFolder, StepError } from '../../base/index.ts';
import { type CollectionReport, checkCollection } from '../check.ts';
import { datasetFolder } from './cache.ts';
import type { Archive, Dataset } from './datasets.ts';
import { type DownloadOptions, download } from './download.ts';
import { unpack } from './unpack.ts';

export interface GetOptions {
  readonly cache: string;
  readonly progress: Progress;
  /** Fetch nothing: a collection that is not here already is an error. */
  readonly offline?: boolean | undefined;
  /** Address of a folder that has the archives under their own names, instead of the official servers. */
  readonly mirror?: string | undefined;
  /** Keep the archive after unpacking. */
  readonly keepArchive?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly retry?: Pick<DownloadOptions, 'attempts' | 'firstWaitMilliseconds'> | undefined;
}

export interface GotDataset {
  readonly name: string;
  readonly folder: string;
  /** Was it here before? */
  readonly cached: boolean;
}

/** Makes sure that a collection is in the cache. A folder under its name there is always complete. */
export async function getDataset(dataset: Dataset, options: GetOptions): Promise<GotDataset> {
  const folder = datasetFolder(options.cache, dataset.name);
  if (await exists(folder)) return { name: dataset.name, folder, cached: true };
  const archive = await getArchive(dataset, options);
  await publishFolder(folder, async temporary => {
    const written = await unpack(archive, temporary, {
      format: dataset.archive.format,
      select: name => memberPath(dataset, name),
      maxBytes: mostBytes(dataset.archive),
      signal: options.signal,
    });
    if (written.length === 0) throw new StepError(archive, `holds no file of ${dataset.name}`);
    await compareCounts(dataset, temporary, options);
  });
  return { name: dataset.name, folder, cached: false };
}

/** Several collections; an archive that more than one is in is fetched once, and dropped when all are unpacked. */
export async function getDatasets(datasets: readonly Dataset[], options: GetOptions): Promise<GotDataset[]> {
  const got: GotDataset[] = [];
  for (const [i, dataset] of datasets.entries()) {
    got.push(await getDataset(dataset, options));
    const neededAgain = datasets.slice(i + 1).some(({ archive }) => archive.url === dataset.archive.url);
    if (!options.keepArchive && !neededAgain)
      await rm(archivePath(dataset.archive, options.cache), { force: true });
  }
  return got;
}

function archivePath({ url }: Archive, cache: string): string {
  return join(cache, 'downloads', basename(new URL(url).pathname));
}

async function getArchive(dataset: Dataset, options: GetOptions): Promise<string> {
  const { archive } = dataset;
  const path = archivePath(archive, options.cache);
  if (await exists(path)) return path; // it got this name only after its checksum was right
  if (options.offline)
    throw new InputError(
      dataset.name,
      `is not in ${options.cache}, and nothing may be fetched offline: run \`isoflop data get ${dataset.name}\` where there is a network, and copy the folder`,
    );
  const url = options.mirror ? mirrored(archive.url, options.mirror) : archive.url;
  const task = options.progress.start(`fetch ${basename(path)}`, archive.bytes, 'bytes');
  await download({ ...archive, url }, path, { task, signal: options.signal, ...options.retry });
  task.finish();
  return path;
}

function mirrored(url: string, mirror: string): string {
  const base = mirror.endsWith('/') ? mirror : `${mirror}/`;
  if (!URL.canParse(base))
    throw new InputError('--mirror', `'${mirror}' is no address such as https://host/folder`);
  return new URL(basename(new URL(url).pathname), base).href;
}

const WANTED =
  /^(corpus\.jsonl|queries\.jsonl|qrels\/[^/]+\.tsv|collection\.tsv|queries\.[\w.]+\.tsv|qrels\.[\w.]+\.tsv)$/;

/** Where a member of the archive goes: the collection's own files, without the folder they lie in. */
function memberPath({ folder }: Dataset, name: string): string | undefined {
  const path = name.replace(/^(\.\/)+/, '');
  const inside = folder === '' ? path : path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : '';
  return WANTED.test(inside) ? inside : undefined;
}

/** Text compresses to a quarter or a fifth: an archive that claims thirty times its size is none of ours. */
function mostBytes({ bytes }: Archive): number {
  return Math.max(64 << 20, 30 * bytes);
}

/** The recorded numbers of documents, judged queries and judgements, against what was unpacked. */
async function compareCounts(dataset: Dataset, folder: string, options: GetOptions): Promise<void> {
  const task = options.progress.start(`check ${dataset.name}`, dataset.documents, 'documents');
  const report = await checkCollection(folder, {
    signal: options.signal,
    removeSelf: dataset.removeSelf,
    onDocuments: count => task.update(count),
  });
  task.finish();
  const faults = countFaults(dataset, report);
  if (faults.length > 0)
    throw new StepError(dataset.name, `${faults.join('; ')}: the archive is not the one recorded`);
}

export function countFaults(dataset: Dataset, report: CollectionReport): string[] {
  const faults: string[] = [];
  const compare = (what: string, found: number, expected: number) => {
    if (found !== expected) faults.push(`${found} ${what}, expected ${expected}`);
  };
  compare('documents', report.documents, dataset.documents);
  for (const [split, { queries, judgements }] of Object.entries(dataset.splits)) {
    const found = report.splits.find(other => other.split === split);
    compare(`judged queries in ${split}`, found?.queries ?? 0, queries);
    compare(`judgements in ${split}`, found?.judgements ?? 0, judgements);
  }
  return faults;
}
