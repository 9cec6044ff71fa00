import { compact, type ProgressTask } from '../base/index.ts';
import type { FinetuneFilesOptions, FinetuneStepEvent, TrainEvent } from '../train/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import type { Io } from './io.ts';
import { atLeast, between, integer, positive } from './values.ts';

interface Flags extends Omit<FinetuneFilesOptions, 'embedder' | 'inBatchNegatives' | 'activationBytes'> {
  readonly output: string;
  readonly inBatch: boolean;
  readonly eos: boolean;
  readonly queryPrefix?: string;
  readonly passagePrefix?: string;
  readonly maxQueryTokens?: number;
  readonly maxPassageTokens?: number;
  readonly activationGb?: number;
  readonly json?: boolean;
}

export const registerFinetune: Register = (program, io) => {
  addCommand(program, {
    name: 'finetune',
    summary: 'finetune a decoder into an embedder on pairs with hard negatives',
    details:
      'InfoNCE on the cosine of mean-pooled states. PAIRS is JSON lines, parquet or TSV in the forms of isoflop mine, FlagEmbedding, Tevatron or\nsentence-transformers. OUTPUT/models/embedder is a directory that sentence-transformers loads. The same command continues an interrupted run.',
    examples: [
      'isoflop finetune runs/wordnet/models/tokens-3000320 pairs.jsonl -o runs/wordnet-embedder',
      'isoflop finetune MODEL pairs.jsonl --learning-rate 3e-4 --negatives 7 --batch-pairs 64 -o OUT',
    ],
  })
    .argument('<model>', 'Hugging Face directory of an MPT decoder')
    .argument('<pairs>', 'training pairs')
    .requiredOption('-o, --output <folder>', 'folder of the run')
    .option('--corpus <folder>', "collection that the pairs' document ids are of, where they have no texts")
    .option('--temperature <t>', 'temperature of the loss (0.02)', positive)
    .option('--negatives <n>', 'hard negatives a query (15)', integer(0))
    .option('--no-in-batch', "let only a query's own negatives compete")
    .option('--batch-pairs <n>', 'pairs a step (32)', integer(1))
    .option('--epochs <n>', 'passes over the pairs (1)', integer(1))
    .option('--learning-rate <r>', 'peak learning rate (1e-3)', positive)
    .option('--warmup-share <s>', 'share of the steps that warm up, from 0 to 1 (0.03)', between(0, 1))
    .option('--weight-decay <w>', 'decoupled weight decay (0)', atLeast(0))
    .option('--train-query-tokens <n>', 'tokens kept of a query in training (32)', integer(2))
    .option('--train-passage-tokens <n>', 'tokens kept of a passage in training (128)', integer(2))
    .option('--max-query-tokens <n>', 'the same when the embedder is used (64)', integer(2))
    .option('--max-passage-tokens <n>', 'the same when the embedder is used (256)', integer(2))
    .option('--query-prefix <text>', 'before every query ("query: ")')
    .option('--passage-prefix <text>', 'before every passage ("passage: ")')
    .option('--no-eos', 'do not append the end-of-text token')
    .option(
      '--from-scratch',
      'begin with random weights of the same shape: the reference for what pretraining brings',
    )
    .option(
      '--activation-gb <n>',
      'memory for activations; batches that need more are computed in chunks (2)',
      positive,
    )
    .option('--seed <n>', 'of order and choices (17)', integer(0))
    .option('--threads <n>', 'threads (OMP_NUM_THREADS, else one a core)', integer(1))
    .action(async (model: string, pairs: string, flags: Flags) => {
      const { finetuneFiles, RunFolder } = await import('../train/index.ts');
      const listener = progressListener(io);
      const path = await finetuneFiles(model, pairs, optionsOf(flags), {
        folder: new RunFolder(flags.output),
        emit: listener.emit,
        signal: io.signal,
        now: () => performance.now(),
        checkpointEveryMs: 60_000,
        progress: io.progress,
        environment: io.environment,
      });
      const last = listener.finish();
      emit(
        io,
        flags,
        { embedder: path, ...last },
        () => `${path}${last ? `  loss ${last.lossNats.toFixed(4)} after ${compact(last.pairs)} pairs` : ''}`,
      );
    });
};

/** Flags into options: those that were given, under the names the library knows them by. */
function optionsOf(flags: Flags): FinetuneFilesOptions {
  const {
    inBatch,
    eos,
    queryPrefix,
    passagePrefix,
    maxQueryTokens,
    maxPassageTokens,
    activationGb,
    ...rest
  } = flags;
  const embedder = {
    appendEos: eos,
    ...(queryPrefix !== undefined && { queryPrefix }),
    ...(passagePrefix !== undefined && { passagePrefix }),
    ...(maxQueryTokens !== undefined && { maxQueryTokens }),
    ...(maxPassageTokens !== undefined && { maxPassageTokens }),
  };
  return {
    ...rest,
    inBatchNegatives: inBatch,
    embedder,
    ...(activationGb !== undefined && { activationBytes: activationGb * 1e9 }),
  };
}

function progressListener(io: Io) {
  let task: ProgressTask | undefined;
  let last: FinetuneStepEvent | undefined;
  return {
    emit(event: TrainEvent) {
      if (event.type === 'finetuneStep') last = event;
      if (event.type === 'damaged')
        io.log(`a damaged checkpoint was set aside as ${event.path}: ${event.message}\n`);
      if (event.type === 'resumed') io.log(`resumed after step ${event.step}\n`);
      if (event.type !== 'progress') return;
      task ??= io.progress.start('finetune', event.total, 'pairs');
      task.update(event.done, event.note);
    },
    finish() {
      task?.finish();
      return last;
    },
  };
}
