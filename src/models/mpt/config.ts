/** The shape of an MPT decoder, and the named sizes. */
import { InputError } from '../../base/index.ts';

/** Learned position embeddings (T, D) added to the token embeddings, or linear biases on the attention scores (ALiBi). */
export type Positions = 'learned' | 'alibi';

export interface MptConfig {
  readonly dModel: number;
  readonly heads: number;
  readonly layers: number;
  readonly vocabSize: number;
  /** T: sequence length of pretraining, and the number of rows of learned positions. */
  readonly maxLength: number;
  readonly expansion: number;
  readonly positions: Positions;
  /** Biases in every linear layer and layer norm. */
  readonly bias: boolean;
  readonly alibiBiasMax: number;
  readonly layerNormEpsilon: number;
}

/**
 * DEVIATION: the paper does not say which MPT flavour it used. Both are here: learned positions with biases (llm-foundry's ladder, the
 * published parameter counts) and ALiBi without biases (the released MPT models).
 */
export const LEARNED_FLAVOUR = { positions: 'learned', bias: true } as const;
export const ALIBI_FLAVOUR = { positions: 'alibi', bias: false } as const;

const COMMON = { expansion: 4, alibiBiasMax: 8, layerNormEpsilon: 1e-5 } as const;

type Size = readonly [dModel: number, heads: number, layers: number];

/** llm-foundry's ladder (scripts/train/yamls/pretrain/mpt-*.yaml): vocabulary 50,368 and sequences of 2,048 tokens. */
const LADDER: Readonly<Record<string, Size>> = {
  'mpt-125m': [768, 12, 12],
  'mpt-350m': [1024, 16, 24],
  'mpt-760m': [1536, 12, 24],
  'mpt-1b': [2048, 16, 24],
  'mpt-3b': [2560, 20, 32],
  'mpt-7b': [4096, 32, 32],
  'mpt-13b': [5120, 40, 40],
  'mpt-30b': [7168, 56, 48],
  'mpt-70b': [8192, 64, 80],
};

/**
 * Laptop rungs: named by their parameters without embeddings, which at this size say more than the total. The ladder's proportions
 * (width four times in the feed-forward, heads of a fixed size, width over depth growing slowly) with small heads, so that attention keeps its share.
 */
const LAPTOP: Readonly<Record<string, Size>> = {
  'mpt-50k': [32, 2, 4],
  'mpt-100k': [48, 3, 4],
  'mpt-200k': [64, 4, 4],
  'mpt-400k': [96, 6, 4],
  'mpt-800k': [128, 4, 4],
  'mpt-1m': [128, 4, 5],
  'mpt-2m': [192, 6, 5],
  'mpt-4m': [256, 8, 5],
  'mpt-8m': [352, 11, 5],
  'mpt-16m': [512, 8, 5],
};

export interface NamedSizeOptions {
  readonly vocabSize?: number;
  readonly maxLength?: number;
}

export function namedSizes(): readonly string[] {
  return [...Object.keys(LAPTOP), ...Object.keys(LADDER)];
}

/** The configuration a name stands for; undefined if it is no known name. */
export function namedMpt(name: string, options: NamedSizeOptions = {}): MptConfig | undefined {
  const key = name.toLowerCase();
  const ladder = LADDER[key];
  const laptop = LAPTOP[key];
  const size = ladder ?? laptop;
  if (!size) return undefined;
  const [dModel, heads, layers] = size;
  const flavour = ladder ? LEARNED_FLAVOUR : ALIBI_FLAVOUR;
  const defaults = ladder ? { vocabSize: 50_368, maxLength: 2048 } : { vocabSize: 4096, maxLength: 256 };
  return { dModel, heads, layers, ...COMMON, ...flavour, ...defaults, ...options };
}

/** Fills a partial description; `flavour` decides what is not said. */
export function mptConfig(
  shape: Pick<MptConfig, 'dModel' | 'heads' | 'layers' | 'vocabSize' | 'maxLength'> & Partial<MptConfig>,
): MptConfig {
  return { ...COMMON, ...ALIBI_FLAVOUR, ...shape };
}

/** The largest value of each size: far beyond any model, and small enough that a hostile file cannot make us count to it. */
const LARGEST = {
  dModel: 2 ** 20,
  heads: 2 ** 20,
  layers: 10_000,
  vocabSize: 2 ** 31 - 1,
  maxLength: 2 ** 31 - 1,
  expansion: 1024,
} as const;

/** Everything that is wrong with a configuration that came from outside, as messages. */
export function mptConfigProblems(config: MptConfig): string[] {
  const problems: string[] = [];
  for (const [key, most] of Object.entries(LARGEST) as [keyof typeof LARGEST, number][]) {
    if (!Number.isSafeInteger(config[key]) || config[key] < 1 || config[key] > most)
      problems.push(`${key} is ${config[key]}, expected a whole number from 1 to ${most}`);
  }
  if (config.dModel % config.heads !== 0)
    problems.push(`${config.heads} heads do not divide a width of ${config.dModel}`);
  for (const key of ['layerNormEpsilon', 'alibiBiasMax'] as const) {
    if (!(config[key] > 0)) problems.push(`${key} is ${config[key]}, expected a number above 0`);
  }
  return problems;
}

/** Throws one `InputError` with everything that is wrong with a configuration that came from outside. */
export function checkMptConfig(config: MptConfig, where: string): MptConfig {
  const problems = mptConfigProblems(config);
  if (problems.length > 0) throw new InputError(problems.map(message => ({ where, message })));
  return config;
}

export function requireNamedMpt(name: string, options: NamedSizeOptions = {}): MptConfig {
  const config = namedMpt(name, options);
  if (!config) throw new InputError(name, `no such model size; there are ${namedSizes().join(', ')}`);
  return config;
}

/** The longest sequence a model can take: learned positions end, ALiBi does not. */
export function longestSequence({ positions, maxLength }: MptConfig): number {
  return positions === 'learned' ? maxLength : Number.POSITIVE_INFINITY;
}

/** Throws an `InputError` if texts of so many tokens go past a model's learned positions; `where` names what says how long they may be. */
export function requireLength(config: MptConfig, tokens: number, where: string): void {
  const longest = longestSequence(config);
  if (tokens > longest)
    throw new InputError(
      where,
      `learned positions end at ${longest} tokens, texts may have ${tokens}: lower the lengths`,
    );
}

/** Throws an `InputError` if a tokenizer of so many tokens has some that the model does not know. */
export function requireVocabulary({ vocabSize }: MptConfig, tokens: number, where: string): void {
  if (tokens > vocabSize)
    throw new InputError(
      where,
      `the tokenizer has ${tokens} tokens, the model ${vocabSize}: they do not belong together`,
    );
}
