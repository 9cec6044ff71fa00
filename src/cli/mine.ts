import { Option } from 'commander';
import type { AnalyzerName } from '../bm25/index.ts';
import type { MiningSettings, Sampling, ShortPolicy } from '../mining/index.ts';
import { addAnalyzerOption, addBm25Options, type Bm25Options, rankRange } from './bm25options.ts';
import { addCommand, emit, type Register } from './command.ts';
import { integer, number } from './values.ts';

interface MineCommandOptions extends Bm25Options {
  readonly output: string;
  readonly split: string;
  readonly negatives: number;
  readonly ranks: MiningSettings['ranks'];
  readonly sampling: Sampling;
  readonly minScore?: number;
  readonly maxScore?: number;
  readonly absoluteMargin?: number;
  readonly relativeMargin?: number;
  readonly short: ShortPolicy;
  readonly seed: number;
  readonly analyzer: AnalyzerName;
  readonly index?: string;
  readonly candidates?: string;
  readonly saveCandidates?: string;
  readonly removeSelf?: boolean;
  readonly threads: number;
  readonly json?: boolean;
}

export const registerMine: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'mine',
    summary: 'mine BM25 hard negatives for training pairs',
    details: `INPUT is a BEIR folder, or a file of training pairs in any common form, whose distinct positives are then the collection.
A negative is never relevant for the query, never a duplicate text of a relevant document or of another negative. Each is written with its rank and score.
Margins are counted from the query's lowest-scoring positive. The result is the same whatever the threads; an interrupted run goes on where it stopped.`,
    examples: [
      'isoflop mine scifact --split train --negatives 15 -o pairs.jsonl',
      'isoflop mine pairs.jsonl.gz --ranks 10-200 --sampling random --relative-margin 0.05 -o mined.jsonl',
      'isoflop mine scifact --split train --candidates candidates.run --negatives 7 -o again.jsonl',
    ],
  })
    .argument('<input>', 'BEIR folder, or pairs as .jsonl, .jsonl.gz, .parquet or .tsv')
    .requiredOption('-o, --output <file>', 'where to write the pairs, as JSON lines (gzip if it ends in .gz)')
    .option('--split <name>', 'of a BEIR folder: the judgements that name the positives', 'train')
    .option('--corpus <folder>', 'of a file of pairs: the collection that its document ids are of')
    .option('-n, --negatives <n>', 'negatives a query', integer(1), 15)
    .option('--ranks <from-to>', 'ranks to take them from', rankRange, { from: 1, to: 100 })
    .addOption(
      new Option('--sampling <how>', 'the best-ranked, or a random choice')
        .choices(['top', 'random'])
        .default('top'),
    )
    .option('--min-score <x>', 'pass over candidates that score less', number)
    .option('--max-score <x>', 'pass over candidates that score more', number)
    .option(
      '--absolute-margin <x>',
      'pass over candidates that score less than this below a positive',
      number,
    )
    .option('--relative-margin <share>', "the same, as a share of the positive's score", number)
    .addOption(
      new Option(
        '--short <policy>',
        'queries with too few: make up with random documents, keep, drop, or fail',
      )
        .choices(['pad-random', 'keep', 'drop', 'error'])
        .default('pad-random'),
    )
    .option('--seed <n>', 'seed of sampling and padding', integer(0), 17)
    .option('--index <file>', 'an index of the collection made before')
    .option('--candidates <run>', 'take the candidates from this run instead of searching')
    .option('--save-candidates <run>', 'keep the candidates that were found')
    .option(
      '--remove-self',
      "a document with the query's own id is no candidate (the default for ArguAna and Quora)",
    )
    .option('--no-remove-self', 'it is one')
    .option('--threads <n>', 'threads that search', integer(1), 1);
  addBm25Options(addAnalyzerOption(command)).action(async (input: string, options: MineCommandOptions) => {
    const { mine, miningText } = await import('../mining/index.ts');
    const { parametersOf } = await import('../bm25/index.ts');
    const settings = settingsOf(options);
    const report = await mine(input, options.output, {
      ...options,
      settings,
      parameters: parametersOf(options),
      progress: io.progress,
      signal: io.signal,
    });
    emit(io, options, report, () => miningText(report, settings));
  });
};

function settingsOf(options: MineCommandOptions): MiningSettings {
  const { negatives, ranks, sampling, minScore, maxScore, absoluteMargin, relativeMargin, short, seed } =
    options;
  return { negatives, ranks, sampling, minScore, maxScore, absoluteMargin, relativeMargin, short, seed };
}
