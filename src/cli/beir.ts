import { Option } from 'commander';
import type { AnalyzerName } from '../bm25/index.ts';
import { addBm25Options, type Bm25Options } from './bm25options.ts';
import { addCommand, emit, type Register } from './command.ts';
import { addEmbedderOptions, type EmbedderFlags, embedderSettingsOf } from './embedderoptions.ts';
import { integer, share } from './values.ts';

interface Flags extends EmbedderFlags, Bm25Options {
  readonly output: string;
  readonly name?: string;
  readonly split?: string;
  readonly k: number;
  readonly removeSelf?: boolean;
  readonly analyzer?: AnalyzerName;
  readonly keepVectors?: true;
  readonly resamples: number;
  readonly level: number;
  readonly seed: number;
  readonly threads?: number;
  readonly json?: boolean;
}

export const registerBeir: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'beir',
    summary: 'zero-shot retrieval of a model, or of BM25, on BEIR folders',
    details: `MODEL is an embedder (or any MPT checkpoint, used by the mean of its last states), or the word bm25. For every folder OUTPUT gets an MTEB task
result (TASK.json), a TREC run, the measures of each query and a record with intervals; OUTPUT/summary.txt is the table that is printed.
CQADupStack's folder stands for its forums, of which it is the mean. Interrupted, the same command goes on where it stopped; collections that are
finished are not evaluated again, once model and data are found to be the same.`,
    examples: [
      'isoflop beir runs/embedder/models/embedder data/scifact data/nfcorpus -o results/embedder',
      'isoflop beir bm25 data/scifact -o results/bm25',
    ],
  })
    .argument('<model>', 'model directory, or bm25')
    .argument('<folders...>', 'collections: BEIR folders')
    .requiredOption('-o, --output <folder>', 'results folder, of this model alone')
    .option('--name <text>', "the model's name in the results (default: its directory's)")
    .option('--split <name>', "judgements to use (default: the collection's own, else test)")
    .option('-k <n>', 'documents retrieved a query', integer(1), 1000)
    .option(
      '--remove-self',
      "leave out a document with the query's own id (the default for ArguAna and Quora)",
    )
    .option('--no-remove-self', 'keep it')
    .option('--keep-vectors', "keep each collection's vectors or index under OUTPUT/scratch")
    .option('--resamples <n>', 'bootstrap resamples', integer(1), 1000)
    .option('--level <share>', 'coverage of intervals', share, 0.95)
    .option('--seed <n>', 'seed of resampling', integer(0), 17)
    .option('--threads <n>', 'threads (OMP_NUM_THREADS, else one a core; bm25: 1)', integer(1))
    .addOption(
      new Option('--analyzer <name>', 'of bm25: how text becomes terms (default: english)').choices([
        'english',
        'plain',
      ]),
    );
  addBm25Options(addEmbedderOptions(command)).action(
    async (model: string, folders: string[], flags: Flags) => {
      const { evaluateFolders, openRetriever, summaryText } = await import('../retrieval/index.ts');
      const { retriever, params } = await openRetriever(model, {
        embedder: embedderSettingsOf(flags),
        bm25: { ...(flags.analyzer && { analyzer: flags.analyzer }), parameters: parametersGiven(flags) },
        vectors: flags.fp16 && 'f16',
        threads: flags.threads,
      });
      const { progress, signal, log } = io;
      const summary = await evaluateFolders(
        retriever,
        folders,
        flags.output,
        { ...flags, params, keepScratch: flags.keepVectors },
        { progress, signal, warn: message => log(`warning: ${message}\n`) },
      ).finally(() => retriever.release());
      emit(io, flags, summary, () => summaryText(summary));
    },
  );
};

/** BM25's parameters that were given. */
function parametersGiven({ variant, k1, b, delta, lengths }: Bm25Options): Bm25Options {
  return {
    ...(variant !== undefined && { variant }),
    ...(k1 !== undefined && { k1 }),
    ...(b !== undefined && { b }),
    ...(delta !== undefined && { delta }),
    ...(lengths !== undefined && { lengths }),
  };
}
