/**
 * Progress of long work, as data: the work reports counts, whoever watches decides how to show them.
 * The terminal line lives in `terminalProgress`; tests and pipes get `silentProgress`.
 */

export interface ProgressTask {
  /** Work done so far, in the task's unit; an optional note stands at the end of the line (`loss 3.21`). */
  update(done: number, note?: string): void;
  /** Ends the task; the note replaces the running one. */
  finish(note?: string): void;
}

export interface Progress {
  /** Begins a task of `total` units (undefined where the end is not known). */
  start(label: string, total: number | undefined, unit: string): ProgressTask;
}

export const silentProgress: Progress = { start: () => ({ update() {}, finish() {} }) };

export interface TerminalOptions {
  /** Writes to the terminal (stderr). */
  readonly write: (text: string) => void;
  /** Seconds since some fixed moment. */
  readonly seconds: () => number;
  readonly columns: () => number;
  /** Least time between two drawings. */
  readonly everySeconds?: number;
}

/** A task at one moment, as `trackedProgress` reports it. */
export interface ProgressState {
  readonly label: string;
  readonly total: number | undefined;
  readonly unit: string;
  readonly done: number;
  /** Of `done`, what was done since the task began here: a resumed run does not count towards the rate. */
  readonly fresh: number;
  readonly seconds: number;
  readonly note: string | undefined;
  readonly end: boolean;
}

export interface TrackingOptions {
  /** Gets the first update, then at most one every `everySeconds`, and always the end. */
  readonly report: (state: ProgressState) => void;
  /** Seconds since some fixed moment. */
  readonly seconds: () => number;
  readonly everySeconds: number;
}

/** Progress as a stream of states, for whoever draws or records them. */
export function trackedProgress(options: TrackingOptions): Progress {
  return {
    start(label, total, unit) {
      const began = options.seconds();
      let reported = Number.NEGATIVE_INFINITY;
      let first: number | undefined;
      let last = 0;
      const report = (done: number, note: string | undefined, end: boolean) => {
        const fresh = done - (first ?? 0);
        const seconds = options.seconds() - began;
        options.report({ label, total, unit, done, fresh, seconds, note, end });
      };
      return {
        update(done, note) {
          first ??= done;
          last = done;
          const now = options.seconds();
          if (now - reported < options.everySeconds) return;
          reported = now;
          report(done, note, false);
        },
        finish(note) {
          report(last, note, true);
        },
      };
    },
  };
}

/** One line that rewrites itself: `pretrain  42% [====    ] 1.2M/2.9M tokens  35.1k tokens/s  0:48 left  loss 3.2`. */
export function terminalProgress(options: TerminalOptions): Progress {
  return trackedProgress({
    seconds: options.seconds,
    everySeconds: options.everySeconds ?? 0.1,
    report: state => {
      const line = progressLine(state).slice(0, Math.max(20, options.columns() - 1));
      options.write(`\r\x1b[2K${line}${state.end ? '\n' : ''}`);
    },
  });
}

/** Seconds until the task's end at its present rate; undefined where total or rate are not known. */
export function secondsLeft(state: ProgressState): number | undefined {
  if (state.total === undefined || state.fresh <= 0 || state.seconds <= 0) return undefined;
  return Math.max(0, state.total - state.done) / (state.fresh / state.seconds);
}

/** The text of a progress line; pure, so that it can be tested. */
export function progressLine(state: ProgressState): string {
  const { label, total, unit, done, fresh, seconds, note, end } = state;
  const rate = seconds > 0 ? fresh / seconds : 0;
  const parts = [label];
  if (total !== undefined && total > 0)
    parts.push(`${bar(done / total)} ${compact(done)}/${compact(total)} ${unit}`);
  else parts.push(`${compact(done)} ${unit}`);
  if (rate > 0) parts.push(`${compact(rate)} ${unit}/s`);
  const left = secondsLeft(state);
  if (end) parts.push(`in ${clock(seconds)}`);
  else if (left !== undefined && seconds > 0.5) parts.push(`${clock(left)} left`);
  if (note !== undefined && note !== '') parts.push(note);
  return parts.join('  ');
}

function bar(share: number): string {
  const clipped = Math.min(1, Math.max(0, share));
  const cells = Math.round(clipped * 20);
  return `${String(Math.floor(clipped * 100)).padStart(3)}% [${'='.repeat(cells)}${' '.repeat(20 - cells)}]`;
}

/** 1234567 -> `1.23M`, with three significant digits. */
export function compact(n: number): string {
  const size = Math.abs(n);
  for (const [unit, letter] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (size >= unit) return `${Number((n / unit).toPrecision(3))}${letter}`;
  }
  return Number.isInteger(n) ? String(n) : String(Number(n.toPrecision(3)));
}

/** Seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
