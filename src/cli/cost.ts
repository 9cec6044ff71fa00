import type { Command } from 'commander';
import { InputError } from '../base/index.ts';
import type { LifetimeCost, Service } from '../scaling/index.ts';
import { addCommand, emit } from './command.ts';
import { show } from './fit-text.ts';
import type { Io } from './io.ts';
import { loadJointLaw } from './joint-law.ts';
import { formatTable } from './text-table.ts';
import { number, positive } from './values.ts';

interface Options {
  readonly params?: number;
  readonly tokens: number;
  readonly wish?: number;
  readonly fit?: string;
  readonly pairs: number;
  readonly epochs: number;
  readonly negatives: number;
  readonly docs: number;
  readonly docTokens: number;
  readonly queries: number;
  readonly queryTokens: number;
  readonly reencodings: number;
  readonly years: number;
  readonly json?: boolean;
}

export function registerCost(program: Command, io: Io): void {
  addCommand(program, {
    name: 'cost',
    summary: 'lifetime compute of a retriever, or the model that reaches a wished score at the least of it',
    details:
      'Training costs 6ND FLOPs and encoding 2N a token. A life is pretraining (--tokens), finetuning (pairs x epochs x (1 query + 1 positive +\n' +
      'negatives)), encoding --docs documents once and --reencodings times a year, and --queries queries a year. With --wish instead of\n' +
      '--params, the parameters and tokens are sought that reach the wished score at the least total, under the law of --fit.',
    examples: [
      'isoflop cost --params 1.3e9 --tokens 2.6e10 --docs 1e8 --queries 1e9',
      'isoflop cost --wish 0.50 --fit FIT.json --docs 1e8 --doc-tokens 200 --queries 1e9 --years 3',
    ],
  })
    .option('--params <count>', 'parameters of the model', positive)
    .option('--tokens <count>', 'pretraining tokens; 0 for a model that exists already', number, 0)
    .option('--wish <score>', 'seek the cheapest model that reaches this score', number)
    .option('--fit <file>', 'the joint law for --wish (default: fitted to published retrievers)')
    .option('--pairs <count>', 'finetuning pairs', number, 500_000)
    .option('--epochs <count>', 'passes over the pairs', number, 1)
    .option('--negatives <count>', 'hard negatives a pair', number, 15)
    .option('--docs <count>', 'documents in the corpus', number, 0)
    .option('--doc-tokens <count>', 'tokens a document', number, 128)
    .option('--queries <count>', 'queries a year', number, 0)
    .option('--query-tokens <count>', 'tokens a query', number, 32)
    .option('--reencodings <count>', 'times a year that the whole corpus is encoded again', number, 0)
    .option('--years <count>', 'years of service', number, 1)
    .action((options: Options) => run(options, io));
}

async function run(options: Options, io: Io): Promise<void> {
  const { cheapestPlan, lifetimeCost } = await import('../scaling/index.ts');
  const service = serviceOf(options);
  if (options.wish !== undefined) {
    if (options.params !== undefined)
      throw new InputError('--wish', 'seeks the parameters: leave --params out');
    const { model, origin, target, warnings } = await loadJointLaw(options.fit);
    const plan = cheapestPlan(model, options.wish, service);
    const result = {
      kind: 'isoflop-cost',
      law: origin,
      target,
      wish: options.wish,
      convention: '6nd',
      ...plan,
      warnings,
    };
    return emit(io, options, result, () =>
      [
        `cheapest model with ${target} = ${show(options.wish!)} (law: ${origin}):`,
        `${show(plan.params)} parameters, ${show(plan.tokens)} tokens (${show(plan.tokensPerParameter)} a parameter)`,
        '',
        costText(plan.cost),
        ...warnings.map(warning => `warning: ${warning}`),
      ].join('\n'),
    );
  }
  if (options.params === undefined)
    throw new InputError('isoflop cost', 'give --params, or --wish to seek them');
  const { params, tokens } = options;
  const cost = lifetimeCost(params, tokens, service);
  const note = tokens > 0 ? [] : ['pretraining is not counted: give --tokens to count it'];
  const result = { kind: 'isoflop-cost', params, tokens, convention: '6nd', cost, warnings: note };
  emit(io, options, result, () => [costText(cost), ...note.map(text => `note: ${text}`)].join('\n'));
}

function serviceOf(options: Options): Service {
  const { pairs, epochs, negatives, docs, docTokens, queries, queryTokens, reencodings, years } = options;
  for (const [name, value] of Object.entries({
    pairs,
    epochs,
    negatives,
    docs,
    docTokens,
    queries,
    queryTokens,
    reencodings,
    years,
  })) {
    if (value < 0) throw new InputError(name, `${value} is below 0`);
  }
  return {
    finetuningTokens: pairs * epochs * (queryTokens + (1 + negatives) * docTokens),
    documents: docs,
    documentTokens: docTokens,
    reencodings,
    years,
    queries: queries * years,
    queryTokens,
  };
}

function costText(cost: LifetimeCost): string {
  const rows = Object.entries(cost).map(([part, flops]) => [
    part,
    show(flops),
    `${((100 * flops) / cost.total).toFixed(1)}%`,
  ]);
  return formatTable(['part', 'FLOPs', 'share'], rows);
}
