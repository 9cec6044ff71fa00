/** What a training run reports while it goes on: one stream for the terminal, the metrics file, a study and the tests. */

/** One pretraining step. */
export interface PretrainStepEvent {
  readonly type: 'step';
  readonly segment: string;
  /** Steps done, counted from 1. */
  readonly step: number;
  /** Tokens this model has seen. */
  readonly tokens: number;
  /** Pretraining FLOPs so far, under the run's convention. */
  readonly flops: number;
  readonly lossNats: number;
  readonly learningRate: number;
  readonly gradNorm: number;
  readonly epoch: number;
  /** Over the engine run that this step was part of. */
  readonly tokensPerSecond: number;
  /** Executed matrix-product FLOP/s over the machine's measured peak; undefined where no peak was measured. */
  readonly peakShare: number | undefined;
}

/** One finetuning step. */
export interface FinetuneStepEvent {
  readonly type: 'finetuneStep';
  /** Steps done, counted from 1. */
  readonly step: number;
  /** Query-passage pairs seen so far. */
  readonly pairs: number;
  /** Texts of this step, and their tokens without padding. */
  readonly texts: number;
  readonly tokens: number;
  /** Share of the computed positions that are padding. */
  readonly paddingShare: number;
  /** InfoNCE, nats a query. */
  readonly lossNats: number;
  readonly learningRate: number;
  readonly gradNorm: number;
  readonly textsPerSecond: number;
}

export interface HeldOutEvent {
  readonly type: 'heldOut';
  readonly segment: string;
  readonly step: number;
  readonly tokens: number;
  readonly lossNats: number;
  readonly bitsPerByte: number;
}

export type TrainEvent =
  | PretrainStepEvent
  | FinetuneStepEvent
  | HeldOutEvent
  | { readonly type: 'checkpoint'; readonly segment: string; readonly step: number; readonly path: string }
  | { readonly type: 'resumed'; readonly segment: string; readonly step: number }
  | {
      /** A checkpoint could not be read and was set aside; the run goes on from the one before it. */
      readonly type: 'damaged';
      readonly segment: string;
      readonly step: number;
      readonly path: string;
      readonly message: string;
    }
  | { readonly type: 'model'; readonly segment: string; readonly path: string }
  | {
      readonly type: 'progress';
      /** Tokens or texts, by the kind of run. */
      readonly done: number;
      readonly total: number;
      readonly note: string;
    };

/** What of an event depends on the clock: everything else is equal byte for byte in every run. */
export const TIMED_FIELDS: readonly string[] = ['tokensPerSecond', 'textsPerSecond', 'peakShare'];
