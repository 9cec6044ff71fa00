/** The form of a scaling study: a few sections become the steps from text to law. */
import { z } from 'zod';
import { type ConfigDocument, InputError, type Problems } from '../../base/index.ts';
import type { StudyForm } from '../../study/index.ts';
import { microBatch, modelOf, planSegments } from '../../train/index.ts';
import { inTokens, ladderSteps, probeSteps } from './ladder-steps.ts';
import { type Rung, SECTIONS, type Sections } from './sections.ts';

export const ladderForm: StudyForm = {
  key: 'ladder',
  read(document, folder, problems) {
    const keys = ['name', ...Object.keys(SECTIONS)].map(key => [key, z.unknown().optional()] as const);
    document.check(z.strictObject(Object.fromEntries(keys)), [], problems);
    const before = problems.count;
    const sections = checkSections(document, problems);
    checkModels(sections, document, problems);
    const { name } = document.value as { readonly name?: unknown };
    return problems.count > before || typeof name !== 'string'
      ? probeSteps(sections, folder, document)
      : ladderSteps(sections as Sections, name, folder, document);
  },
};

/** The sections that are right; the faults of the others are reported. */
function checkSections(document: ConfigDocument, problems: Problems): Partial<Sections> {
  const entries = Object.entries(SECTIONS).map(([key, schema]) => [
    key,
    document.check(schema as z.ZodType<unknown>, [key], problems),
  ]);
  return Object.fromEntries(entries) as Partial<Sections>;
}

/** What only numbers together can show: names of sizes, heads that do not divide a width, batches of no whole sequences, budgets no run can have. */
function checkModels(
  { ladder = [], pretrain, tokenizer }: Partial<Sections>,
  document: ConfigDocument,
  problems: Problems,
): void {
  if (!pretrain) return;
  report(['pretrain', 'batchTokens'], () => microBatch(pretrain));
  for (const [i, rung] of ladder.entries()) {
    const isModel = report(['ladder', i, 'model'], () => modelOf({ ...pretrain, model: rung.model }, 1));
    if (isModel && tokenizer)
      report(['ladder', i, 'tokens'], () => checkBudgets(rung, pretrain, tokenizer.vocabSize));
  }

  function report(path: readonly PropertyKey[], check: () => unknown): boolean {
    try {
      check();
      return true;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      for (const { message } of error.problems) problems.add(document.locate(path), message);
      return false;
    }
  }
}

/** Throws an `InputError` for budgets of less than a step, or of equally many steps, and for a warm-up that leaves nothing of one. */
function checkBudgets(rung: Rung, pretrain: Sections['pretrain'], vocabSize: number): void {
  const budgets = rung.tokens.map(budget => inTokens(budget, rung, pretrain.sequenceLength, vocabSize));
  const { batchTokens, schedule, warmupTokens = 0 } = pretrain;
  const segments = planSegments({ budgets, tokensPerStep: batchTokens, warmupTokens, schedule });
  if (segments.filter(({ budget }) => budget !== undefined).length < budgets.length)
    throw new InputError('tokens', `two budgets are the same number of steps of ${batchTokens} tokens`);
}
