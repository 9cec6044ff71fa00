import { Option } from 'commander';
import { compact } from '../base/index.ts';
import type { IclRunOptions, PromptStyle } from '../icl/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import { integer, names } from './values.ts';

interface Flags extends Omit<IclRunOptions, 'style'> {
  readonly output: string;
  readonly prompts: PromptStyle;
  readonly json?: boolean;
}

export const registerIcl: Register = (program, io) => {
  addCommand(program, {
    name: 'icl',
    summary: 'evaluate a decoder in context on the tasks of the Eval Gauntlet',
    details: `TASKS is a task file of llm-foundry (icl_tasks: label, dataset_uri, num_fewshot, icl_task_type, ...) with records as JSON lines, plain or gzip.
Accuracy is shown as the Gauntlet defines it; bits/byte is the cost of the right answer, which falls long before accuracy rises. Writes results.json,
lm-eval.json, and the items of every task. The same command goes on after an interruption. A benchmark that is missing is an error, unless --reduced
gives the average over the rest a name of its own.`,
    examples: [
      'isoflop icl runs/wordnet/models/tokens-3000320 icl/tasks.yaml -o results/icl --limit 200',
      'isoflop icl MODEL tasks_v0.3.yaml --gauntlet eval_gauntlet_v0.3.yaml --reduced core_25 -o OUT',
      'isoflop icl MODEL tasks.yaml --tasks piqa,arc_challenge/25-shot --prompts llm-foundry -o OUT',
    ],
  })
    .argument('<model>', 'Hugging Face directory of an MPT decoder')
    .argument('<tasks>', 'task file (YAML)')
    .requiredOption('-o, --output <folder>', 'folder of the results')
    .option('--gauntlet <file>', 'categories and averages (eval_gauntlet_*.yaml)')
    .option('--reduced <name>', 'leave out what is missing, and give the average this name')
    .option('--limit <n>', 'items of a task, drawn by a seed, evenly from its categories (all)', integer(1))
    .option('--tasks <names>', 'labels or keys, separated by commas (all)', names)
    .addOption(
      new Option('--prompts <style>', "llm-foundry's prompts with or without their quirks")
        .choices(['isoflop', 'llm-foundry'])
        .default('isoflop'),
    )
    .option('--context-tokens <n>', "tokens of prompt and answer (the model's sequence length)", integer(2))
    .option('--batch-tokens <n>', 'tokens of one run of the engine (2048)', integer(1))
    .option('--name <name>', 'of the model in the results (the end of its path)')
    .option('--threads <n>', 'threads (OMP_NUM_THREADS, else one a core)', integer(1))
    .action(async (model: string, tasks: string, flags: Flags) => {
      const { iclText, runIcl } = await import('../icl/index.ts');
      const { prompts, output, ...options } = flags;
      const began = io.now();
      const { results, work, cached } = await runIcl(
        model,
        tasks,
        output,
        { ...options, style: prompts },
        io,
      );
      const seconds = (io.now() - began) / 1000;
      emit(io, flags, { ...results, cached, cost: { ...work, seconds } }, () => {
        const cost = `${compact(work.tokens)} tokens in ${compact(seconds)} s${seconds > 0 ? `, ${compact(work.tokens / seconds)} tokens/s` : ''}`;
        return `${iclText(results)}${cost}; ${cached.length} of ${results.tasks.length} tasks were done before\n`;
      });
    });
};
