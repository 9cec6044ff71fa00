import { compact } from '../base/index.ts';
import type { FlopsConvention, FlopsReport } from '../models/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import { integer, positive } from './values.ts';

interface Options {
  readonly tokens: number;
  readonly convention: string;
  readonly vocab?: number;
  readonly length?: number;
  readonly json?: boolean;
}

/** What each convention counts, for people. */
const MEANINGS: Readonly<Record<FlopsConvention, string>> = {
  '6nd': '6 N D, all parameters',
  '6nd-nonembedding': '6 N D without token and position embeddings',
  palm: '(6 N + 12 L d T) D, as llm-foundry',
  chinchilla: 'Chinchilla, appendix F, without embeddings and logits',
};

export const registerFlops: Register = (program, io) => {
  addCommand(program, {
    name: 'flops',
    summary: 'Pretraining FLOPs of a model on a number of tokens, under every convention.',
    details:
      'MODEL is a size (mpt-125m ... mpt-70b with a vocabulary of 50,368 and sequences of 2,048 tokens; mpt-50k ... mpt-16m with 4,096 and 256), a Hugging Face directory of MPT, or its config.json.\nWith --json only the chosen convention is printed. docs/flops.md says what each one counts.',
    examples: [
      'isoflop flops mpt-125m --tokens 2.5e9',
      'isoflop flops mpt-1m --vocab 2048 --tokens 20e6 --convention chinchilla --json',
      'isoflop flops runs/mpt-4m/models/tokens-80000000 --tokens 8e7',
    ],
  })
    .argument('<model>', 'name of a size, model directory, or config.json')
    .requiredOption('--tokens <n>', 'tokens of pretraining, such as 2.5e9', positive)
    .option('--convention <name>', '6nd, 6nd-nonembedding, palm or chinchilla', '6nd')
    .option('--vocab <n>', 'vocabulary of a named size', integer(1))
    .option('--length <n>', 'tokens a sequence of a named size', integer(1))
    .action(async (model: string, options: Options) => {
      const { findMptConfig, parseConvention, reportFlops } = await import('../models/index.ts');
      const convention = parseConvention(options.convention);
      const config = await findMptConfig(model, {
        ...(options.vocab !== undefined && { vocabSize: options.vocab }),
        ...(options.length !== undefined && { maxLength: options.length }),
      });
      const report = reportFlops(config, options.tokens);
      const { params, paramsNonEmbedding, tokens } = report;
      const value = {
        model,
        params,
        paramsNonEmbedding,
        tokens,
        convention,
        flops: report.flops[convention],
      };
      emit(io, options, value, () => table(model, report, convention));
    });
};

function table(model: string, report: FlopsReport, chosen: FlopsConvention): string {
  const { params, paramsNonEmbedding, tokens } = report;
  const conventions = Object.entries(report.flops) as [FlopsConvention, number][];
  const rows = conventions.map(([convention, value]) => {
    const mark = convention === chosen ? '*' : ' ';
    return `${mark} ${convention.padEnd(16)}  ${value.toExponential(4)}  ${MEANINGS[convention]}`;
  });
  const heading = `${model}: ${grouped(params)} parameters (${grouped(paramsNonEmbedding)} without embeddings), ${compact(tokens)} tokens, ${compact(tokens / params)} a parameter`;
  return [heading, '', '  convention        FLOPs', ...rows].join('\n');
}

const grouped = (n: number): string => n.toLocaleString('en-US');
