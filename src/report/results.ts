/**
 * The results of a study, as its last step writes them and as the report, the terminal table and other programs read them: every checkpoint with
 * every score, the reference systems, the fits and correlations made from them, and what the numbers mean.
 */
import type { FitReport, PairReport } from '../scaling/index.ts';

/** A number with the interval in which it lies at the study's level of confidence (95% unless `level` says otherwise). */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface CollectionInfo {
  readonly name: string;
  readonly title: string;
  readonly split: string;
  readonly documents: number;
  /** Judged queries. */
  readonly queries: number;
  /** Does it count in the mean? */
  readonly inMean: boolean;
}

export interface TaskInfo {
  readonly name: string;
  /** Record type of the Gauntlet: language_modeling, multiple_choice, schema, generation_task_with_answers. */
  readonly type: string;
  readonly shots: number;
  readonly items: number;
  /** Accuracy of guessing. */
  readonly chance: number;
}

export interface TaskScore {
  readonly accuracy: Estimate;
  /** Bits per byte of the gold answer: the smaller the better. Null where the task has no gold text. */
  readonly bitsPerByte: Estimate | null;
}

/** nDCG@10 by collection, and their mean over the collections that count in it. */
export interface RetrievalScores {
  readonly collections: Readonly<Record<string, Estimate>>;
  readonly mean: Estimate;
}

export interface CheckpointResult {
  /** Unique in the study, such as `mpt-200k at 2M tokens`. */
  readonly name: string;
  /** Name of the rung (model size). */
  readonly rung: string;
  readonly params: number;
  readonly paramsNonEmbedding: number;
  /** Pretraining tokens; 0 for a rung that was not pretrained. */
  readonly tokens: number;
  /** Passes over the pretraining text. */
  readonly epochs: number;
  /** Pretraining FLOPs by convention; all 0 without pretraining. */
  readonly flops: Readonly<Record<string, number>>;
  /** Held-out pretraining loss, nats per token and bits per byte; null for an untrained rung. */
  readonly heldOut: { readonly lossNats: number; readonly bitsPerByte: number } | null;
  readonly finetuned: RetrievalScores | null;
  /** Without finetuning, where the study evaluates that. */
  readonly zeroShot: RetrievalScores | null;
  readonly icl: Readonly<Record<string, TaskScore>>;
  /** Mean accuracy over the tasks minus chance, rescaled to 1 at perfect; and mean bits per byte. Null without tasks. */
  readonly iclMean: { readonly accuracy: Estimate; readonly bitsPerByte: Estimate } | null;
  readonly sources?: Sources;
}

/** Names of the study's steps that made a group of numbers. The report links the numbers to these steps, or, without them, to the step that gathered all. */
export type Sources = Readonly<
  Partial<Record<'pretraining' | 'finetuned' | 'zeroShot' | 'icl', readonly string[]>>
>;

/** A system that is no checkpoint: BM25. */
export interface ReferenceResult {
  /** As printed, with its parameters: `BM25 (lucene, k1 0.9, b 0.4, english)`. */
  readonly name: string;
  readonly scores: RetrievalScores;
  /** Steps of the study that made the scores. */
  readonly sources?: readonly string[];
}

export interface LossCurve {
  readonly rung: string;
  readonly params: number;
  /** One trunk and its decay branches: a line each. */
  readonly lines: readonly {
    readonly branch: string;
    /** Training loss of single steps, thinned. */
    readonly train: readonly { readonly tokens: number; readonly lossNats: number }[];
    readonly heldOut: readonly { readonly tokens: number; readonly lossNats: number }[];
  }[];
}

/** A fit of the law to one column against compute. `report` is null where it could not be fitted, `reason` says why. */
export interface StudyFit {
  /** `mean` or a collection's name, or `heldOutLoss`. */
  readonly target: string;
  readonly convention: string;
  readonly report: FitReport | null;
  readonly reason: string | null;
}

/** Rank correlation of log FLOPs with the mean nDCG@10 over the pretrained checkpoints. */
export interface Trend {
  readonly convention: string;
  readonly n: number;
  readonly spearman: Estimate;
}

/** What stands in the pretraining text of the texts that models are tested on. */
export interface OverlapInfo {
  /** A text stands in the corpus if at least this share of its n-grams of so many words does. */
  readonly words: number;
  readonly share: number;
  /** Share of all n-grams that was looked at. */
  readonly sampled: number;
  readonly sets: readonly OverlapSet[];
}

export interface OverlapSet {
  readonly name: string;
  readonly texts: number;
  /** Texts that are long enough. */
  readonly judged: number;
  /** Those that have at least one n-gram in common with the corpus. */
  readonly touched: number;
  readonly standing: number;
  /** Ids of the first that stand in it. */
  readonly examples: readonly string[];
}

export interface StudyResults {
  readonly kind: 'isoflop-results';
  readonly version: 1;
  readonly study: string;
  readonly title: string;
  /** What the study is and what its data are, in a paragraph. */
  readonly description: string;
  readonly level: number;
  /** How the laws were made; not in older files. */
  readonly scaling?: { readonly form: string; readonly resamples: number; readonly seed: number };
  /** FLOPs conventions, the one of the main axis first. */
  readonly conventions: readonly string[];
  readonly collections: readonly CollectionInfo[];
  readonly tasks: readonly TaskInfo[];
  /** By size, then by tokens. */
  readonly checkpoints: readonly CheckpointResult[];
  readonly references: readonly ReferenceResult[];
  readonly curves: readonly LossCurve[];
  readonly trends: readonly Trend[];
  /** The first is the law of the main figure: mean nDCG@10 against the first convention, with the largest model held out. */
  readonly fits: readonly StudyFit[];
  /** ICL against retrieval, plain and with log FLOPs taken out. */
  readonly correlations: readonly PairReport[];
  /** Null, or in older files not there, where the study did not look. */
  readonly overlap?: OverlapInfo | null;
  /** What a reader must know before quoting the numbers. */
  readonly caveats: readonly string[];
  /** Where the study differs from the paper. */
  readonly deviations: readonly string[];
}
