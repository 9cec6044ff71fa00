/** The form of a scaling study: a few sections become the steps from text to law. */
import { z } from 'zod';
import { type ConfigDocument, InputError, type Problems } from '../../base/index.ts';
import { countParameters } from '../../models/index.ts';
import type { StudyForm } from '../../study/index.ts';
import { microBatch, modelOf } from '../../train/index.ts';
import { ladderSteps, probeSteps } from './ladder-steps.ts';
import { SECTIONS, type Sections } from './sections.ts';

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

/** What only numbers together can show: names of sizes, heads that do not divide a width, batches that are no whole sequences. */
function checkModels(
  { ladder = [], pretrain }: Partial<Sections>,
  document: ConfigDocument,
  problems: Problems,
): void {
  if (!pretrain) return;
  report(['pretrain', 'batchTokens'], () => microBatch(pretrain));
  for (const [i, { model }] of ladder.entries())
    report(['ladder', i, 'model'], () => countParameters(modelOf({ model, ...pretrain }, 1)));

  function report(path: readonly PropertyKey[], check: () => unknown): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      for (const { message } of error.problems) problems.add(document.locate(path), message);
    }
  }
}
