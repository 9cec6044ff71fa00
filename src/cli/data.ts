import type { Command } from 'commander';
import type { OverlapSettings, WordnetStudyOptions } from '../data/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import type { Io } from './io.ts';
import { addTextFormatOptions, TEXT_HELP, type TextFlags } from './text.ts';
import { collect, integer, names, share } from './values.ts';

interface LsOptions {
  readonly cache?: string;
  readonly json?: boolean;
}

interface GetOptions extends LsOptions {
  readonly offline?: boolean;
  readonly mirror?: string;
  readonly keepArchive?: boolean;
}

interface CheckOptions {
  readonly strict?: boolean;
  readonly json?: boolean;
}

interface OverlapFlags extends TextFlags, Partial<OverlapSettings> {
  readonly collection: readonly string[];
  readonly split: string;
  readonly taskFile?: string;
  readonly tasks?: readonly string[];
  readonly json?: boolean;
}

interface WordnetOptions extends Partial<WordnetStudyOptions> {
  readonly output: string;
  readonly json?: boolean;
}

export const registerData: Register = (program, io) => {
  const group = program
    .command('data')
    .description('public collections, checking your own, and the data of the default study');
  addLs(group, io);
  addGet(group, io);
  addCheck(group, io);
  addOverlap(group, io);
  addWordnet(group, io);
};

const CACHE_HELP = 'cache folder (default: ISOFLOP_CACHE, HF_HOME/isoflop or ~/.cache/isoflop)';

function addLs(group: Command, io: Io): void {
  addCommand(group, {
    name: 'ls',
    summary: 'list the public collections: split, size, licence, self-hit rule',
    examples: ['isoflop data ls'],
  })
    .option('--cache <folder>', CACHE_HELP)
    .action(async (options: LsOptions) => {
      const { cacheFolder, listDatasets, listText } = await import('../data/index.ts');
      const list = await listDatasets(cacheFolder(io.environment, options.cache));
      emit(io, options, { datasets: list }, () => listText(list));
    });
}

function addGet(group: Command, io: Io): void {
  addCommand(group, {
    name: 'get',
    summary: 'fetch public collections into the cache',
    details: `A broken download continues where it stopped. Archives are checked against recorded MD5 sums, unpacked as if they were hostile,
compared with the recorded numbers of documents and judgements, and appear in the cache only when complete.
\`beir\` stands for all fifteen sets, \`cqadupstack\` for its twelve forums. Prints the folders.`,
    examples: ['isoflop data get scifact nfcorpus', 'isoflop data get cqadupstack --cache /data/isoflop'],
  })
    .argument('<names...>', 'collections, as `isoflop data ls` names them')
    .option('--cache <folder>', CACHE_HELP)
    .option('--offline', 'fetch nothing; fail if a collection is not in the cache (also: HF_HUB_OFFLINE=1)')
    .option('--mirror <url>', 'take the archives from this folder instead of the official servers')
    .option('--keep-archive', 'keep the archives after unpacking')
    .action(async (names: string[], options: GetOptions) => {
      const { cacheFolder, datasetsNamed, getDatasets, isOffline } = await import('../data/index.ts');
      const datasets = await getDatasets(datasetsNamed(names), {
        ...options,
        cache: cacheFolder(io.environment, options.cache),
        offline: isOffline(io.environment, options.offline),
        progress: io.progress,
        signal: io.signal,
      });
      emit(io, options, { datasets }, () => datasets.map(({ folder }) => `${folder}\n`).join(''));
    });
}

function addCheck(group: Command, io: Io): void {
  addCommand(group, {
    name: 'check',
    summary: 'find everything that is wrong with a collection',
    details: `Reads a BEIR folder (corpus.jsonl, queries.jsonl, qrels/*.tsv; plain or .gz) or MS MARCO's files. Errors: lines that are no records,
duplicate ids, wrong columns, judgements that point nowhere, a split without relevant documents. Warnings: empty texts, queries without
judgements, query ids that are also document ids. Exit code 2 if there are errors.`,
    examples: ['isoflop data check my-collection'],
  })
    .argument('<folder>', 'the collection')
    .option('--strict', 'warnings count as errors')
    .action(async (folder: string, options: CheckOptions) => {
      const { checkFolder, failedCheck, reportText } = await import('../data/index.ts');
      const report = await checkFolder(folder, io.progress, io.signal);
      emit(io, options, report, () => reportText(report));
      const failure = failedCheck(report, options.strict === true);
      for (const { where, message } of options.strict ? [] : report.warnings)
        io.log(`warning: ${where}: ${message}\n`);
      if (failure) throw failure;
    });
}

function addOverlap(group: Command, io: Io): void {
  const command = addCommand(group, {
    name: 'overlap',
    summary: 'find the test texts that stand in a pretraining text',
    details: `Looks for the passages and the judged queries of collections, and the items of in-context tasks, in a text, by word n-grams: one that has
most of its n-grams in the text, anywhere, stands in it. Texts with fewer words than an n-gram are not judged.\n\n${TEXT_HELP}`,
    examples: [
      'isoflop data overlap wiki/ --collection beir/scifact --collection beir/nfcorpus',
      'isoflop data overlap wordnet --task-file icl/tasks.yaml --tasks piqa,copa --words 13 --json',
    ],
  });
  addTextFormatOptions(command)
    .argument('<text...>', 'the pretraining text')
    .option('--collection <folder>', 'a BEIR folder; may be repeated', collect, [])
    .option('--split <name>', 'whose judged queries are looked for', 'test')
    .option('--task-file <file>', 'task file of in-context tasks (YAML), or the folder that holds it')
    .option('--tasks <names>', 'labels or keys of tasks, separated by commas (all)', names)
    .option('--words <n>', 'words of an n-gram (default: 8)', integer(1))
    .option(
      '--share <share>',
      'share of its n-grams from which on a text stands in the corpus (default: 0.7)',
      share,
    )
    .action(async (named: readonly string[], flags: OverlapFlags) => {
      const { basename } = await import('node:path');
      const { InputError } = await import('../base/index.ts');
      const { overlapText } = await import('../data/index.ts');
      const { measureTestOverlap } = await import('../icl/index.ts');
      if (flags.collection.length === 0 && flags.taskFile === undefined)
        throw new InputError('--collection', 'name at least one collection, or --task-file');
      const { split, taskFile, tasks } = flags;
      const collections = flags.collection.map(folder => ({ name: basename(folder), folder, split }));
      const overlap = await measureTestOverlap(
        named,
        { collections, taskFile, tasks },
        { ...flags, signal: io.signal, progress: io.progress },
      );
      emit(io, flags, overlap, () => overlapText(overlap));
    });
}

function addWordnet(group: Command, io: Io): void {
  addCommand(group, {
    name: 'wordnet',
    summary: 'make the data of the default study from WordNet, without a network',
    details: `Writes a folder with text to pretrain on, two BEIR collections (wordnet-relatives, wordnet-entries) with test and validation queries, a third with
the training queries, training pairs without negatives (see \`isoflop mine\`), in-context tasks in llm-foundry's form, and manifest.json.
Nothing that a test asks about stands in the text or the pairs. Equal options give equal bytes. The folder must not exist yet.`,
    examples: [
      'isoflop data wordnet -o wordnet-data',
      'isoflop data wordnet -o small --queries 100 --documents 1000 --pairs 500',
    ],
  })
    .requiredOption('-o, --output <folder>', 'where to write it')
    .option('--seed <n>', 'seed of the split and of every choice (default: 17)', integer(0))
    .option('--test-share <share>', 'share of the definitions kept for tests (default: 0.1)', share)
    .option('--queries <n>', 'test queries of each collection (default: 600)', integer(1))
    .option('--dev-queries <n>', 'validation queries of each collection (default: 150)', integer(1))
    .option('--documents <n>', 'documents of each collection (default: 5000)', integer(1))
    .option('--pairs <n>', 'training pairs, an even number (default: 7000)', integer(2))
    .option('--icl-items <n>', 'items of each in-context task, a multiple of 4 (default: 300)', integer(4))
    .action(async ({ output, json, ...options }: WordnetOptions) => {
      const { buildWordnetStudyData, wordnetStudyText } = await import('../data/index.ts');
      const manifest = await buildWordnetStudyData(output, options, io);
      emit(io, { json }, manifest, () => wordnetStudyText(output, manifest));
    });
}
