/** A task: what is asked, how the prompt is built, and the records. */
import type { RecordTypes, TaskType } from './records.ts';

/**
 * `isoflop` mends the quirks of `llm-foundry`, which is kept for comparing with published Gauntlet numbers; docs/icl.md lists them.
 * DEVIATION: the paper used llm-foundry's Eval Gauntlet and does not say which version; here the mended prompts are the default.
 */
export type PromptStyle = 'isoflop' | 'llm-foundry';
export const PROMPT_STYLES: readonly PromptStyle[] = ['isoflop', 'llm-foundry'];

export interface PromptSettings {
  /** Before everything else, once. */
  readonly promptString: string;
  /** Between examples, and between the last one and the test item. */
  readonly exampleDelimiter: string;
  /** Between a context and its continuation. */
  readonly continuationDelimiter: string;
  /** Before every context. */
  readonly prelimiter: string;
  /** Between a worked solution and the answer. */
  readonly cotDelimiter: string;
  /** Strip blanks around texts and at the end of the prompt: a prompt that ends in a blank leads byte-pair tokens astray. */
  readonly stripDataset: boolean;
  readonly fewshotSeed: number;
}

/** llm-foundry's defaults. */
export const DEFAULT_PROMPT: PromptSettings = {
  promptString: '',
  exampleDelimiter: '\n',
  continuationDelimiter: ' ',
  prelimiter: '',
  cotDelimiter: '',
  stripDataset: true,
  fewshotSeed: 1234,
};

export interface GenerationSettings {
  /** An answer ends before the first of these. */
  readonly stops: readonly string[];
  /** Compare as TriviaQA does: lower case, no punctuation, no articles. */
  readonly normalize: boolean;
  /** Default: as many as the longest right answer has, and ten more where it ends a worked solution. */
  readonly maxNewTokens?: number;
}

export const DEFAULT_GENERATION: GenerationSettings = { stops: [], normalize: true };

interface TaskOf<T extends TaskType> {
  readonly label: string;
  readonly type: T;
  /** Examples before each test item. */
  readonly shots: number;
  /** Average over the categories of the records, each counting the same, and draw examples from the same category. */
  readonly categories?: boolean;
  readonly prompt?: Partial<PromptSettings>;
  readonly generation?: Partial<GenerationSettings>;
  readonly records: readonly RecordTypes[T][];
}

/** A task in memory: `{ label: 'copa', type: 'multiple_choice', shots: 0, records }`. */
export type IclTask = { readonly [T in TaskType]: TaskOf<T> }[TaskType];

/** What tells tasks apart: `arc_challenge/25-shot`, as llm-foundry's logs and gauntlet files have it. */
export function taskKey({ label, shots }: { readonly label: string; readonly shots: number }): string {
  return `${label}/${shots}-shot`;
}
