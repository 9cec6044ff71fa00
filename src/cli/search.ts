import { addCommand, emit, type Register } from './command.ts';
import { integer } from './values.ts';

interface Flags {
  readonly output: string;
  readonly split?: string;
  readonly k: number;
  readonly removeSelf?: boolean;
  readonly threads?: number;
  readonly json?: boolean;
}

export const registerSearch: Register = (program, io) => {
  addCommand(program, {
    name: 'search',
    summary: 'search vectors made by isoflop embed, exactly',
    details: `Compares every query with every document by inner product (the cosine: all vectors have length 1) and writes a TREC run of six columns.
Memory does not grow with the collection. Equal scores rank by document id, larger ids first.`,
    examples: [
      'isoflop search scifact.vectors -k 1000 -o scifact.run',
      'isoflop eval data/scifact/qrels/test.tsv scifact.run',
    ],
  })
    .argument('<vectors>', 'folder written by isoflop embed')
    .requiredOption('-o, --output <file>', 'where to write the run')
    .option('-k <n>', 'documents a query', integer(1), 1000)
    .option('--split <name>', 'queries to search for (default: those embedded first)')
    .option('--remove-self', "leave out a document with the query's own id (default: as embedded)")
    .option('--no-remove-self', 'keep it')
    .option('--threads <n>', 'threads (OMP_NUM_THREADS, else one a core)', integer(1))
    .action(async (folder: string, flags: Flags) => {
      const { searchEmbedded, vectorSearchText } = await import('../retrieval/index.ts');
      const { progress, signal } = io;
      const summary = await searchEmbedded(folder, flags.output, flags, { progress, signal });
      emit(io, flags, summary, () => vectorSearchText(summary));
    });
};
