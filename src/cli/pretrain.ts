import { join } from 'node:path';
import { compact, type ProgressTask, readConfig } from '../base/index.ts';
import type { PretrainOutcome, TrainEvent } from '../train/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import { loadCurves } from './curve.ts';
import type { Io } from './io.ts';
import { collect } from './values.ts';

interface Flags {
  readonly output: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export const registerPretrain: Register = (program, io) => {
  addCommand(program, {
    name: 'pretrain',
    summary: 'pretrain MPT decoders on text, one for each token budget of a configuration file',
    details:
      'Makes a tokenizer and token shards if need be, trains, and writes each model as a Hugging Face directory under OUTPUT/models, with every step in\nOUTPUT/metrics.jsonl and the loss curve in OUTPUT/loss.svg. Interrupted by Ctrl-C or a crash, the same command goes on where it stopped, to the same bytes.',
    examples: [
      'isoflop pretrain examples/pretrain-wordnet.yaml -o runs/wordnet',
      'isoflop pretrain examples/pretrain-wordnet.yaml --set model=mpt-1m --set tokens=20x -o runs/wordnet-1m',
    ],
  })
    .argument('<config>', 'configuration file (YAML)')
    .requiredOption('-o, --output <folder>', 'folder of the run')
    .option('--set <path=value>', 'replace a value of the configuration; again for more', collect)
    .action(async (file: string, flags: Flags) => {
      const { pretrainFromConfig, pretrainSchema } = await import('../train/index.ts');
      const config = await readConfig(file, pretrainSchema, io.environment, flags.set ?? []);
      const listener = await progressListener(io);
      const outcome = await pretrainFromConfig(config, flags.output, {
        progress: io.progress,
        emit: listener.emit,
        signal: io.signal,
        now: () => performance.now(),
        environment: io.environment,
      });
      listener.finish();
      const figure = await drawLosses(flags.output);
      emit(io, flags, { ...outcome, figure }, () => summary(outcome, listener.curve(), figure));
    });
};

/** Draws all of the run's curves, whichever process trained them. */
async function drawLosses(runFolder: string): Promise<string> {
  const { lossFigure, writeFigure } = await import('../report/index.ts');
  const path = join(runFolder, 'loss.svg');
  await writeFigure(lossFigure(await loadCurves([runFolder])), path);
  return path;
}

/** Turns training events into a progress line and the points of the loss curve. */
async function progressListener(io: Io) {
  const { plotText } = await import('../report/index.ts');
  let task: ProgressTask | undefined;
  const points: { x: number; y: number }[] = [];
  return {
    emit(event: TrainEvent) {
      if (event.type === 'progress') {
        task ??= io.progress.start('pretrain', event.total, 'tokens');
        task.update(event.done, event.note);
      }
      if (event.type === 'heldOut') points.push({ x: event.tokens, y: event.lossNats });
      if (event.type === 'damaged')
        io.log(`a damaged checkpoint was set aside as ${event.path}: ${event.message}\n`);
      if (event.type === 'resumed') io.log(`resumed ${event.segment} after step ${event.step}\n`);
    },
    finish: () => task?.finish(),
    curve: () => plotText(points, { xLabel: 'tokens', yLabel: 'held-out loss, nats a token' }),
  };
}

function summary(
  { params, paramsNonEmbedding, trainTokens, models }: PretrainOutcome,
  curve: string,
  figure: string,
): string {
  const lines = models.map(({ tokens, path }) => {
    const epochs = (tokens / trainTokens).toFixed(2);
    return `${compact(tokens).padStart(8)} tokens (${epochs} passes over the text)  ${path}`;
  });
  const size = `${compact(params)} parameters, ${compact(paramsNonEmbedding)} without embeddings`;
  return [curve, `the same as a figure: ${figure}`, size, ...lines].join('\n');
}
