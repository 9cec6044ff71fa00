/**
 * All data of a study from WordNet alone, as a folder in the forms that every tool reads:
 *
 *     text.jsonl                     pretraining text: entries of the synsets that nothing asks about
 *     pairs.jsonl                    finetuning pairs from the same synsets
 *     wordnet-relatives/             collections in BEIR form, with a test and a dev split
 *     wordnet-entries/
 *     icl/tasks.yaml, icl/*.jsonl    in-context tasks
 *     LICENSE                        WordNet's
 *     manifest.json                  options, counts, hash of every file; written last
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import {
  InputError,
  type Json,
  type Progress,
  prettyJson,
  publishFolder,
  Rng,
  sha256,
  silentProgress,
  writeFileAtomic,
} from '../../../base/index.ts';
import { pairLine } from '../../pairs.ts';
import type { Synset } from '../synset.ts';
import { synsetText } from '../text.ts';
import { loadWordNet, type WordNet, wordnetLicence } from '../wordnet.ts';
import { type IclTask, iclTasks } from './icl-tasks.ts';
import {
  type Collection,
  drawCollection,
  drawPairs,
  type RetrievalTask,
  retrievalTasks,
} from './retrieval.ts';
import { type Part, splitSynsets } from './split.ts';

export interface WordnetStudyOptions {
  readonly seed: number;
  /** Shares of the synsets kept for tests, and for the choice of hyperparameters. */
  readonly testShare: number;
  readonly devShare: number;
  /** Test queries of each collection; a quarter as many for dev. */
  readonly queries: number;
  /** Documents of each collection. */
  readonly documents: number;
  /** Finetuning pairs of both tasks together. */
  readonly pairs: number;
  /** Items of each in-context task, at most. */
  readonly items: number;
}

export const DEFAULT_WORDNET_STUDY: WordnetStudyOptions = {
  seed: 17,
  testShare: 0.05,
  devShare: 0.02,
  queries: 600,
  documents: 5000,
  pairs: 6000,
  items: 300,
};

export interface WordnetStudySummary {
  readonly folder: string;
  readonly documents: number;
  readonly pairs: number;
  readonly collections: readonly {
    readonly name: string;
    readonly documents: number;
    readonly testQueries: number;
    readonly devQueries: number;
  }[];
  readonly tasks: readonly { readonly name: string; readonly type: string; readonly items: number }[];
}

/** Names of what the folder holds, and of its collections with their titles. */
export const WORDNET_FILES = { text: 'text.jsonl', pairs: 'pairs.jsonl', tasks: 'icl' } as const;
export const WORDNET_COLLECTIONS: readonly { readonly name: string; readonly title: string }[] = [
  { name: 'wordnet-relatives', title: 'WordNet: definition to relatives' },
  { name: 'wordnet-entries', title: 'WordNet: definition to entry' },
];

/** Writes the folder; it appears whole. Equal options give equal bytes. Throws where the folder exists. */
export async function buildWordnetStudyData(
  folder: string,
  options: WordnetStudyOptions = DEFAULT_WORDNET_STUDY,
  { progress = silentProgress }: { readonly progress?: Progress } = {},
): Promise<WordnetStudySummary> {
  const task = progress.start('WordNet', undefined, 'files');
  const wordnet = await loadWordNet();
  const data = drawData(wordnet, options);
  const files = filesOf(data, await wordnetLicence());
  const summary = summaryOf(folder, data);
  const hashes = Object.fromEntries([...files].map(([name, text]) => [name, sha256(text)]));
  const manifest = {
    kind: 'isoflop-wordnet-study',
    version: 1,
    wordnet: '3.1',
    options,
    ...summary,
    folder: undefined,
    hashes,
  };
  const published = await publishFolder(folder, async place => {
    for (const [name, text] of files) {
      await mkdir(join(place, name, '..'), { recursive: true });
      await writeFileAtomic(join(place, name), text);
    }
    await writeFileAtomic(
      join(place, 'manifest.json'),
      prettyJson(JSON.parse(JSON.stringify(manifest)) as Json),
    );
  });
  if (!published) throw new InputError(folder, 'exists already: remove it, or choose another folder');
  task.finish();
  return summary;
}

interface StudyData {
  readonly train: readonly Synset[];
  readonly pairs: ReturnType<typeof drawPairs>;
  readonly collections: readonly {
    readonly task: RetrievalTask;
    readonly test: Collection;
    readonly dev: Collection;
  }[];
  readonly tasks: readonly IclTask[];
}

function drawData(wordnet: WordNet, options: WordnetStudyOptions): StudyData {
  const { seed, queries, documents, pairs, items } = options;
  const parts = splitSynsets(wordnet, options);
  const of = (part: Part) => wordnet.synsets.filter(({ id }) => parts.get(id) === part);
  const [train, dev, test] = [of('train'), of('dev'), of('test')];
  const tasks = retrievalTasks(wordnet);
  const rng = (...what: (string | number)[]) => Rng.from(seed, 'wordnet study', ...what);
  const collections = tasks.map(task => {
    const sizes = { queries, documents };
    const tested = drawCollection(wordnet, task, test, sizes, new Set(dev), rng(task.name, 'test'));
    const asked = new Set(tested.queries.map(({ query }) => query));
    const few = { queries: Math.ceil(queries / 4), documents: 0 };
    return { task, test: tested, dev: drawCollection(wordnet, task, dev, few, asked, rng(task.name, 'dev')) };
  });
  for (const { task, test: tested } of collections)
    if (tested.queries.length < queries / 2 || tested.documents.length < documents)
      throw new InputError(
        task.name,
        `WordNet gives ${tested.queries.length} queries and ${tested.documents.length} documents: ask for fewer`,
      );
  return {
    train,
    pairs: drawPairs(tasks, train, pairs, rng('pairs')),
    collections,
    tasks: iclTasks(wordnet, test, { items }, name => rng('icl', name)),
  };
}

function filesOf(data: StudyData, licence: string): Map<string, string> {
  const files = new Map<string, string>();
  files.set('LICENSE', licence);
  files.set(WORDNET_FILES.text, jsonLines(data.train.map(synset => ({ text: synsetText(synset) }))));
  files.set(WORDNET_FILES.pairs, data.pairs.map(pairLine).join(''));
  for (const { task, test, dev } of data.collections) {
    const documents = new Map([...test.documents, ...dev.documents].map(synset => [synset.id, synset]));
    const queries = [...test.queries, ...dev.queries].map(({ query }) => query);
    const corpus = [...documents.values()].map(synset => ({
      _id: synset.id,
      title: '',
      text: task.document(synset)!,
    }));
    files.set(`${task.name}/corpus.jsonl`, jsonLines(corpus));
    files.set(
      `${task.name}/queries.jsonl`,
      jsonLines(queries.map(({ id, definition }) => ({ _id: id, text: definition }))),
    );
    files.set(`${task.name}/qrels/test.tsv`, qrelsText(test));
    files.set(`${task.name}/qrels/dev.tsv`, qrelsText(dev));
  }
  files.set(`${WORDNET_FILES.tasks}/tasks.yaml`, tasksYaml(data.tasks));
  for (const { label, records } of data.tasks)
    files.set(`${WORDNET_FILES.tasks}/${label}.jsonl`, jsonLines(records));
  return files;
}

const jsonLines = (records: readonly object[]): string =>
  records.map(record => `${JSON.stringify(record)}\n`).join('');

function qrelsText({ queries }: Collection): string {
  const rows = queries.flatMap(({ query, relevant }) =>
    [...relevant].map(([{ id }, grade]) => `${query.id}\t${id}\t${grade}\n`),
  );
  return `query-id\tcorpus-id\tscore\n${rows.join('')}`;
}

/** The tasks as llm-foundry lists them; zero-shot, because that is the form of the training text. */
function tasksYaml(tasks: readonly IclTask[]): string {
  return stringify({
    icl_tasks: tasks.map(({ label, type }) => ({
      label,
      dataset_uri: `${label}.jsonl`,
      num_fewshot: [0],
      icl_task_type: type,
      continuation_delimiter: ' ',
    })),
  });
}

function summaryOf(folder: string, { train, pairs, collections, tasks }: StudyData): WordnetStudySummary {
  return {
    folder,
    documents: train.length,
    pairs: pairs.length,
    collections: collections.map(({ task, test, dev }) => ({
      name: task.name,
      documents: new Set([...test.documents, ...dev.documents]).size,
      testQueries: test.queries.length,
      devQueries: dev.queries.length,
    })),
    tasks: tasks.map(({ label, type, records }) => ({ name: label, type, items: records.length })),
  };
}

/** The summary for people. */
export function wordnetStudyText({
  folder,
  documents,
  pairs,
  collections,
  tasks,
}: WordnetStudySummary): string {
  return [
    `${folder}: ${documents} documents of training text, ${pairs} pairs`,
    ...collections.map(
      ({ name, documents: size, testQueries, devQueries }) =>
        `  ${name}: ${size} documents, ${testQueries} test and ${devQueries} dev queries`,
    ),
    ...tasks.map(({ name, type, items }) => `  ${name}: ${items} items (${type})`),
  ].join('\n');
}
