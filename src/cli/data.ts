import type { Command } from 'commander';
import { addCommand, emit, type Register } from './command.ts';
import type { Io } from './io.ts';
import { integer } from './values.ts';

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

export const registerData: Register = (program, io) => {
  const group = program.command('data').description('public collections, and checking your own');
  addLs(group, io);
  addGet(group, io);
  addCheck(group, io);
  addWordnet(group, io);
};

interface WordnetOptions {
  readonly output: string;
  readonly seed: number;
  readonly queries: number;
  readonly documents: number;
  readonly pairs: number;
  readonly items: number;
  readonly json?: boolean;
}

function addWordnet(group: Command, io: Io): void {
  addCommand(group, {
    name: 'wordnet',
    summary: 'make the data of a study from WordNet alone: text, pairs, two collections, in-context tasks',
    details: `What is asked about stands in no training text: synsets are split by a hash of the seed. Equal options give equal bytes.
docs/data-wordnet.md describes every file.`,
    examples: ['isoflop data wordnet -o wordnet-study'],
  })
    .requiredOption('-o, --output <folder>', 'folder to make')
    .option('--seed <n>', 'decides the split and every choice', integer(0), 17)
    .option('--queries <n>', 'test queries of each collection', integer(1), 600)
    .option('--documents <n>', 'documents of each collection', integer(1), 5000)
    .option('--pairs <n>', 'finetuning pairs', integer(1), 6000)
    .option('--items <n>', 'items of each in-context task', integer(1), 300)
    .action(async ({ output, json = false, ...said }: WordnetOptions) => {
      const { buildWordnetStudyData, DEFAULT_WORDNET_STUDY, wordnetStudyText } = await import(
        '../data/index.ts'
      );
      const options = { ...DEFAULT_WORDNET_STUDY, ...said };
      const summary = await buildWordnetStudyData(output, options, { progress: io.progress });
      emit(io, { json }, summary, () => wordnetStudyText(summary));
    });
}

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
