import type { AnalyzerName } from '../bm25/index.ts';
import { addAnalyzerOption, addBm25Options, type Bm25Options } from './bm25options.ts';
import { addCommand, emit, type Register } from './command.ts';
import { integer, positive } from './values.ts';

interface IndexOptions {
  readonly output: string;
  readonly analyzer: AnalyzerName;
  readonly memory: number;
  readonly threads: number;
  readonly json?: boolean;
}

interface SearchOptions extends Bm25Options {
  readonly output: string;
  readonly split?: string;
  readonly k: number;
  readonly threads: number;
  readonly removeSelf?: boolean;
  readonly json?: boolean;
}

export const registerBm25: Register = (program, io) => {
  const bm25 = program.command('bm25').description('index a collection, and search it with BM25');
  addAnalyzerOption(
    addCommand(bm25, {
      name: 'index',
      summary: 'index a BEIR folder',
      details: `Title and text make one field. The index holds term frequencies and lengths, so that variant and parameters are chosen at search.
Memory is bounded whatever the size of the collection; what does not fit waits in a temporary file beside the index.`,
      examples: ['isoflop bm25 index scifact -o scifact.bm25'],
    }),
  )
    .argument('<folder>', "collection: corpus.jsonl(.gz), or MS MARCO's collection.tsv")
    .requiredOption('-o, --output <file>', 'where to write the index')
    .option('--memory <gigabytes>', 'memory for postings while indexing', positive, 1)
    .option('--threads <n>', 'threads that analyze text', integer(1), 1)
    .action(async (folder: string, options: IndexOptions) => {
      const { indexFolder, indexText } = await import('../bm25/index.ts');
      const summary = await indexFolder(folder, options.output, {
        analyzer: options.analyzer,
        memoryBytes: options.memory * 2 ** 30,
        threads: options.threads,
        progress: io.progress,
        signal: io.signal,
      });
      emit(io, options, summary, () => indexText(summary));
    });
  addBm25Options(
    addCommand(bm25, {
      name: 'search',
      summary: 'search an index with the queries of a BEIR folder',
      details: `Writes a TREC run of six columns, ranks from 1, equal scores by document id, larger ids first. Its tag names analyzer and parameters.
Only the queries that the split judges are searched for. The default parameters are Anserini's.`,
      examples: [
        'isoflop bm25 search scifact.bm25 scifact -o scifact.run',
        'isoflop bm25 search scifact.bm25 scifact --variant bm25+ --k1 1.2 --b 0.75 -k 100 -o plus.run',
      ],
    }),
  )
    .argument('<index>', 'index made by isoflop bm25 index')
    .argument('<folder>', 'collection whose queries to take')
    .requiredOption('-o, --output <file>', 'where to write the run')
    .option('--split <name>', "whose judged queries to take (default: the collection's own, else test)")
    .option('-k <n>', 'documents a query', integer(1), 1000)
    .option('--threads <n>', 'threads that search', integer(1), 1)
    .option('--remove-self', "drop documents whose id is the query's (the default for ArguAna and Quora)")
    .option('--no-remove-self', 'keep them')
    .action(async (index: string, folder: string, options: SearchOptions) => {
      const { parametersOf, searchFolder, searchText } = await import('../bm25/index.ts');
      const summary = await searchFolder(index, folder, options.output, {
        ...options,
        parameters: parametersOf(options),
        progress: io.progress,
        signal: io.signal,
      });
      emit(io, options, summary, () => searchText(summary));
    });
};
