import type { Command } from 'commander';
import { InputError } from '../base/index.ts';
import type { AllocationRange } from '../scaling/index.ts';
import { addCommand, emit } from './command.ts';
import { show } from './fit-text.ts';
import type { Io } from './io.ts';
import { loadJointLaw } from './joint-law.ts';
import { formatTable } from './text-table.ts';
import { collect, integer, positive } from './values.ts';

interface Options {
  readonly budget: readonly string[];
  readonly fit?: string;
  readonly curve?: boolean;
  readonly level: number;
  readonly resamples: number;
  readonly seed: number;
  readonly json?: boolean;
}

export function registerOptimal(program: Command, io: Io): void {
  addCommand(program, {
    name: 'optimal',
    summary: 'the best parameters and tokens for a pretraining budget, under a fitted joint law',
    details:
      'Budgets are FLOPs, counted as 6ND. Without --fit the law is fitted to published retrievers, and says how little it rests on.\n' +
      'Ranges come from refitting the law to resampled models. --curve adds the isoFLOP curve of each budget.',
    examples: [
      'isoflop optimal --budget 1e21',
      'isoflop optimal --fit FIT.json --budget 1e20 --budget 1e22 --curve --json',
    ],
  })
    .requiredOption('--budget <flops>', 'pretraining FLOPs; may be given several times', collect)
    .option('--fit <file>', 'a chinchilla, contrastive or two-step law written by isoflop fit -o')
    .option('--curve', 'add the values along each budget')
    .option('--level <share>', 'coverage of the ranges', positive, 0.95)
    .option('--resamples <count>', 'bootstrap resamples over models; 0 for none', integer(0), 300)
    .option('--seed <number>', 'seed of the bootstrap', integer(0), 17)
    .action((options: Options) => run(options, io));
}

async function run(options: Options, io: Io): Promise<void> {
  const { allocationRange, bootstrap, isoflopCurve } = await import('../scaling/index.ts');
  const budgets = options.budget.map(text => {
    const flops = Number(text);
    if (!(flops > 0 && Number.isFinite(flops)))
      throw new InputError(`--budget ${text}`, 'expected a number of FLOPs above 0, such as 1e21');
    return flops;
  });
  const { model, origin, target, warnings } = await loadJointLaw(options.fit);
  const { thetas } = bootstrap(model, options);
  const rows = budgets.map(flops => ({
    ...allocationRange(model, thetas, flops, options.level),
    ...(options.curve && { curve: isoflopCurve(model, flops) }),
  }));
  const result = {
    kind: 'isoflop-optimal',
    law: origin,
    target,
    convention: '6nd',
    level: options.level,
    budgets: rows,
    warnings,
  };
  emit(io, options, result, () => textOf(rows, target, origin, warnings));
}

const range = (r: { low: number; high: number } | null) =>
  r === null ? 'open' : `${show(r.low)} to ${show(r.high)}`;

function textOf(
  rows: readonly AllocationRange[],
  target: string,
  origin: string,
  warnings: readonly string[],
): string {
  const body = rows.map(({ flops, best, params, tokens }) => [
    show(flops),
    show(best.params),
    range(params),
    show(best.tokens),
    range(tokens),
    show(best.tokensPerParameter),
    show(best.value),
  ]);
  const columns = ['FLOPs (6ND)', 'parameters', 'range', 'tokens', 'range', 'tokens/parameter', target];
  return [
    `law: ${origin}`,
    formatTable(columns, body),
    ...warnings.map(warning => `warning: ${warning}`),
  ].join('\n');
}
