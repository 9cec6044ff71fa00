/** What a training run reports while it goes on: one stream for the terminal, the metrics file, a study and the tests. */

export type TrainEvent =
  | {
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
  | {
      readonly type: 'heldOut';
      readonly segment: string;
      readonly step: number;
      readonly tokens: number;
      readonly lossNats: number;
      readonly bitsPerByte: number;
    }
  | {
      readonly type: 'checkpoint';
      readonly segment: string;
      readonly step: number;
      readonly tokens: number;
      readonly path: string;
    }
  | { readonly type: 'resumed'; readonly segment: string; readonly step: number; readonly tokens: number }
  | { readonly type: 'model'; readonly segment: string; readonly tokens: number; readonly path: string }
  | {
      readonly type: 'progress';
      readonly stepsDone: number;
      readonly stepsTotal: number;
      readonly tokensDone: number;
      readonly tokensTotal: number;
      readonly note: string;
    };

/** What of an event depends on the clock: everything else is equal byte for byte in every run. */
export const TIMED_FIELDS: readonly string[] = ['tokensPerSecond', 'peakShare'];
