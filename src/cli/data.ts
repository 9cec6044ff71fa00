import type { Command } from 'commander';
import type { WordnetStudyOptions } from '../data/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import type { Io } from './io.ts';
import { integer, share } from './values.ts';

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
