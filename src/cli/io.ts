/** What a command may touch of the outside world, handed in so that tests can look. */
import type { Environment, Progress } from '../base/index.ts';

export interface Io {
  /** Results. With `--json` exactly one JSON object. */
  readonly out: (text: string) => void;
  /** Everything else: progress, warnings, notes. */
  readonly log: (text: string) => void;
  readonly progress: Progress;
  readonly environment: Environment;
  /** Fires on the first Ctrl-C; long work stops at the next whole unit and can be resumed. */
  readonly signal: AbortSignal;
  /** Is stderr a terminal? */
  readonly interactive: boolean;
  /** Width of that terminal, in characters. */
  readonly columns: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
