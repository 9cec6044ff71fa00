import { basename, resolve } from 'node:path';
import type { LossSeries } from '../report/index.ts';
import { addCommand, emit, type Register } from './command.ts';

interface Flags {
  readonly output?: string;
  readonly logTokens?: boolean;
  readonly title?: string;
  readonly json?: boolean;
}

export const registerCurve: Register = (program, io) => {
  addCommand(program, {
    name: 'curve',
    summary: 'draw the loss curves of pretraining runs, finished or going on',
    details:
      "Reads RUN/metrics.jsonl: loss on the training batches (smoothed) and on held-out text, against tokens. Without -o the held-out loss is\nplotted in the terminal, a plot a segment. `isoflop pretrain` writes its own run's figure to RUN/loss.svg.",
    examples: ['isoflop curve runs/wordnet', 'isoflop curve runs/small runs/large --log-tokens -o loss.png'],
  })
    .argument('<run...>', 'folders of runs')
    .option('-o, --output <file>', 'the figure: .svg, .png, or .json for its Vega-Lite specification')
    .option('--log-tokens', 'tokens on a logarithmic axis')
    .option('--title <text>', "the figure's title")
    .action(async (runs: readonly string[], flags: Flags) => {
      const { output, logTokens = false, title } = flags;
      const series = await loadCurves(runs);
      const { lossFigure, plotText, writeFigure } = await import('../report/index.ts');
      if (output !== undefined) {
        await writeFigure(lossFigure(series, { logTokens, ...(title !== undefined && { title }) }), output);
      }
      const labels = { xLabel: 'tokens', yLabel: 'held-out loss, nats a token' };
      emit(io, flags, { ...(output !== undefined && { figure: output }), series }, () =>
        output === undefined
          ? series.map(({ name, heldOut }) => `${name}: ${plotText(heldOut, labels)}`).join('\n\n')
          : `wrote ${output}`,
      );
    });
};

/** A series for each segment of each run, named by the segment, and by its run where there are several. */
export async function loadCurves(runs: readonly string[]): Promise<LossSeries[]> {
  const { readLossCurves } = await import('../train/index.ts');
  const toPoint = ({ tokens, lossNats }: { tokens: number; lossNats: number }) => ({
    x: tokens,
    y: lossNats,
  });
  const all = await Promise.all(
    runs.map(async run => {
      const prefix = runs.length > 1 ? `${basename(resolve(run))}: ` : '';
      return (await readLossCurves(run)).map(({ segment, train, heldOut }) => ({
        name: prefix + segment,
        train: train.map(toPoint),
        heldOut: heldOut.map(toPoint),
      }));
    }),
  );
  return all.flat();
}
