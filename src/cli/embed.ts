import { addCommand, emit, type Register } from './command.ts';
import { addEmbedderOptions, type EmbedderFlags, embedderSettingsOf } from './embedderoptions.ts';
import { integer } from './values.ts';

interface Flags extends EmbedderFlags {
  readonly output: string;
  readonly split?: string;
  readonly removeSelf?: boolean;
  readonly threads?: number;
  readonly json?: boolean;
}

export const registerEmbed: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'embed',
    summary: 'turn the documents and queries of a BEIR folder into vectors',
    details: `Writes raw little-endian rows with their ids: OUTPUT/passages and OUTPUT/queries-SPLIT, which isoflop search compares.
Prefixes, lengths and the end-of-text token are those of the model directory. Interrupted, the same command goes on where it stopped; with another
--split it adds that split's queries.`,
    examples: ['isoflop embed runs/embedder/models/embedder data/scifact -o scifact.vectors'],
  })
    .argument('<model>', 'model directory: an embedder, or any MPT checkpoint')
    .argument('<folder>', 'collection: BEIR folder')
    .requiredOption('-o, --output <folder>', 'where to write the vectors')
    .option('--split <name>', "queries to embed: those it judges (default: the collection's own, else test)")
    .option(
      '--remove-self',
      "search is to leave out a document with the query's own id (the default for ArguAna and Quora)",
    )
    .option('--no-remove-self', 'it is to keep it')
    .option('--threads <n>', 'threads (OMP_NUM_THREADS, else one a core)', integer(1));
  addEmbedderOptions(command).action(async (model: string, folder: string, flags: Flags) => {
    const { embedCollection, embedText, openEmbedder } = await import('../retrieval/index.ts');
    const retriever = await openEmbedder(model, {
      embedder: embedderSettingsOf(flags),
      vectors: flags.fp16 && 'f16',
      threads: flags.threads,
    });
    const { progress, signal } = io;
    const work = embedCollection(retriever, folder, flags.output, flags, { progress, signal });
    const summary = await work.finally(() => retriever.release());
    emit(io, flags, summary, () => embedText(summary));
  });
};
