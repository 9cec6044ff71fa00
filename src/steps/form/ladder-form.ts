/** The form of a scaling study: a few sections become the steps from text to law. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { type ConfigDocument, exists, InputError, type Problems } from '../../base/index.ts';
import { type MptConfig, requireLength } from '../../models/index.ts';
import type { StudyForm } from '../../study/index.ts';
import { microBatch, modelOf, planSegments } from '../../train/index.ts';
import { inTokens, ladderSteps, probeSteps } from './ladder-steps.ts';
import { dataSchema, type Rung, SECTIONS, type Sections } from './sections.ts';

export const ladderForm: StudyForm = {
  key: 'ladder',
  async read(document, folder, problems) {
    const keys = ['name', ...Object.keys(SECTIONS)].map(key => [key, z.unknown().optional()] as const);
    document.check(z.strictObject(Object.fromEntries(keys)), [], problems);
    const before = problems.count;
    const sections = checkSections(document, problems);
    const report = reporter(document, problems);
    checkModels(sections, report);
    checkNegatives(sections, report);
    await checkTasks(sections, folder, report);
    const { name } = document.value as { readonly name?: unknown };
    return problems.count > before || typeof name !== 'string'
      ? probeSteps(sections, folder, document)
      : ladderSteps(sections as Sections, name, folder, document);
  },
};

/** The sections that are right; the faults of the others are reported. */
function checkSections(document: ConfigDocument, problems: Problems): Partial<Sections> {
  const { data } = document.value as { readonly data?: unknown };
  const entries = Object.entries({ ...SECTIONS, data: dataSchema(data) }).map(([key, schema]) => [
    key,
    document.check(schema as z.ZodType<unknown>, [key], problems),
  ]);
  return Object.fromEntries(entries) as Partial<Sections>;
}

/** Runs a check; false, after reporting what it found at this place of the file, if it throws an `InputError`. */
type Report = (path: readonly PropertyKey[], check: () => unknown) => boolean;

function reporter(document: ConfigDocument, problems: Problems): Report {
  return (path, check) => {
    try {
      check();
      return true;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      for (const { message } of error.problems) problems.add(document.locate(path), message);
      return false;
    }
  };
}

/**
 * What only numbers together can show: names of sizes, heads that do not divide a width, batches of no whole sequences, budgets no run can have,
 * texts longer than learned positions.
 */
function checkModels(sections: Partial<Sections>, report: Report): void {
  const { ladder = [], pretrain, tokenizer } = sections;
  if (!pretrain) return;
  report(['pretrain', 'batchTokens'], () => microBatch(pretrain));
  const models: MptConfig[] = [];
  for (const [i, rung] of ladder.entries()) {
    const isModel = report(['ladder', i, 'model'], () =>
      models.push(modelOf({ ...pretrain, model: rung.model }, 1)),
    );
    if (isModel && tokenizer)
      report(['ladder', i, 'tokens'], () => checkBudgets(rung, pretrain, tokenizer.vocabSize));
  }
  for (const [section, field, tokens] of lengthsOf(sections))
    models.every(model => report([section, field], () => requireLength(model, tokens, field))); // the first is enough
}

/** How long texts may be in each part of the study: section, field, tokens. */
function lengthsOf({ finetune, embedder, icl }: Partial<Sections>): (readonly [string, string, number])[] {
  const lengths = [
    ['finetune', 'trainQueryTokens', finetune?.trainQueryTokens],
    ['finetune', 'trainPassageTokens', finetune?.trainPassageTokens],
    ['embedder', 'maxQueryTokens', embedder?.maxQueryTokens],
    ['embedder', 'maxPassageTokens', embedder?.maxPassageTokens],
    ['icl', 'contextTokens', icl ? icl.contextTokens : undefined],
  ] as const;
  return lengths.flatMap(([section, field, tokens]) =>
    tokens === undefined ? [] : [[section, field, tokens] as const],
  );
}

/** Throws an `InputError` for budgets of less than a step, or of equally many steps, and for a warm-up that leaves nothing of one. */
function checkBudgets(rung: Rung, pretrain: Sections['pretrain'], vocabSize: number): void {
  const budgets = rung.tokens.map(budget => inTokens(budget, rung, pretrain.sequenceLength, vocabSize));
  const { batchTokens, schedule, warmupTokens = 0 } = pretrain;
  const segments = planSegments({ budgets, tokensPerStep: batchTokens, warmupTokens, schedule });
  if (segments.filter(({ budget }) => budget !== undefined).length < budgets.length)
    throw new InputError('tokens', `two budgets are the same number of steps of ${batchTokens} tokens`);
}

/** Finetuning would quietly go on with fewer negatives than the study says. */
function checkNegatives({ mine, finetune }: Partial<Sections>, report: Report): void {
  if (!mine || !finetune || finetune.negatives <= mine.negatives) return;
  report(['finetune', 'negatives'], () => {
    throw new InputError(
      'finetune.negatives',
      `finetuning takes ${finetune.negatives} negatives a query, mining (mine.negatives) finds ${mine.negatives}: state both`,
    );
  });
}

/** Unknown tasks and records that are not there would show only hours later, when a checkpoint is evaluated. */
async function checkTasks({ data, icl }: Partial<Sections>, folder: string, report: Report): Promise<void> {
  if (!data || 'wordnet' in data || data.tasks === undefined || icl === false || icl === undefined) return;
  const path = resolve(folder, data.tasks);
  if (!(await exists(path))) return; // told where all paths are looked at
  const { requireTasks } = await import('../../icl/index.ts');
  const found = await requireTasks(path, { only: icl.tasks }).catch((error: unknown) => error);
  report(icl.tasks === undefined ? ['data', 'tasks'] : ['icl', 'tasks'], () => {
    if (found !== undefined) throw found;
  });
}
