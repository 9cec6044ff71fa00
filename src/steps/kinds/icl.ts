/** In-context evaluation of a checkpoint. */
import { z } from 'zod';

/** See `IclOptions`. */
export const iclParams = z.strictObject({
  /** Items of each task, the first ones; all of them if not said. */
  items: z.number().int().positive().optional(),
});

export interface Measured {
  readonly value: number;
  readonly standardError: number;
}

export interface IclTaskScore {
  readonly name: string;
  readonly type: string;
  readonly shots: number;
  readonly items: number;
  /** Accuracy of guessing. */
  readonly chance: number;
  readonly accuracy: Measured;
  readonly bitsPerByte: Measured | null;
}

/** What `icl.json` holds. */
export interface IclScores {
  readonly tasks: readonly IclTaskScore[];
}
