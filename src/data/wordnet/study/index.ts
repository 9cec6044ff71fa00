export * from './build.ts';
export type { Collection, CollectionText, JudgedQuery } from './collection.ts';
export type { IclTask, LanguageModeling, MultipleChoice, Schema } from './icl.ts';
export { studyOptions, WORDNET_STUDY_DEFAULTS, type WordnetStudyOptions } from './options.ts';
export { pretrainingSource, type SplitOptions, type SynsetSplit, splitSynsets } from './split.ts';
export { wordnetStudyText } from './summary.ts';
