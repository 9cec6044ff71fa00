/** Where the study engine meets the science: step kinds, and the form of a ladder study. */
export { ladderForm } from './form/ladder-form.ts';
export { ARTIFACTS } from './types.ts';

/** The module of the built-in step kinds, for the registry. */
export const STEP_KINDS = new URL('./kinds/index.js', import.meta.url);
