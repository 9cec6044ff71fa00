/** Where the study engine meets the science: step kinds, and the form of a ladder study. */
import type { StudyResults } from '../report/index.ts';
import type { ResultsPart } from './results/merge.ts';

export { ladderForm } from './form/ladder-form.ts';
export type { ResultsPart } from './results/merge.ts';
export { ARTIFACTS } from './types.ts';

/** The module of the built-in step kinds, for the registry. */
export const STEP_KINDS = new URL('./kinds/index.js', import.meta.url);

/** See `mergeResults` of results/merge.ts, which brings the fitting of laws and so is loaded when it is called. */
export async function mergeResults(parts: readonly ResultsPart[]): Promise<StudyResults> {
  return (await import('./results/merge.ts')).mergeResults(parts);
}
