import type { Command } from 'commander';
import { InputError, readInputJson } from '../base/index.ts';
import { addCommand, emit } from './command.ts';
import { predictionText } from './fit-text.ts';
import type { Io } from './io.ts';
import { collect } from './values.ts';

interface Options {
  readonly at: readonly string[];
  readonly json?: boolean;
}

export function registerPredict(program: Command, io: Io): void {
  addCommand(program, {
    name: 'predict',
    summary: 'predict from a fitted law, with intervals',
    details:
      'FIT.json comes from isoflop fit -o. Each --at is one place: a number for a law in one variable (or 4x for four times the\n' +
      'largest input that was fitted), PARAMS,TOKENS for a law in two. Two intervals are given: of the law, and of one measurement.',
    examples: ['isoflop predict FIT.json --at 1e23 --at 4x', 'isoflop predict FIT.json --at 7e9,2e12'],
  })
    .argument('<fit>', 'file written by isoflop fit -o')
    .requiredOption('--at <place>', 'where to predict; may be given several times', collect)
    .action(async (path: string, options: Options) => {
      const { loadFit, predictFrom } = await import('../scaling/index.ts');
      const fitted = loadFit(await readInputJson(path, 64 << 20), path);
      const largest = fitted.model.points.axes.map(({ values }) => values.reduce((a, b) => Math.max(a, b)));
      const rows = predictFrom(
        fitted,
        options.at.map(text => placeIn(text, largest)),
      );
      const { form, flopsConvention, interval, target } = fitted.file;
      const result = { kind: 'isoflop-prediction', form, target: target.column, interval, flopsConvention };
      emit(io, options, { ...result, predictions: rows }, () => predictionText(rows, interval.level));
    });
}

/** `1e23`, `7e9,2e12`, or `4x`: a multiple of the largest input fitted. */
function placeIn(text: string, largest: readonly number[]): number[] {
  const parts = text.split(',').map(part => part.trim());
  if (parts.length !== largest.length)
    throw new InputError(
      `--at ${text}`,
      `expected ${largest.length} numbers for this law, found ${parts.length}`,
    );
  return parts.map((part, i) => {
    const value = part.endsWith('x') ? Number(part.slice(0, -1)) * largest[i]! : Number(part);
    if (part === '' || !(value > 0 && Number.isFinite(value)))
      throw new InputError(`--at ${text}`, `'${part}' is not a number above 0, such as 1e23 or 4x`);
    return value;
  });
}
