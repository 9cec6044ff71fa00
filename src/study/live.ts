/** A study on a terminal while it runs: lines that stay, above lines that are redrawn. Elsewhere, only those that stay. */
import { Board } from './board.ts';
import type { StudyEvent } from './events.ts';
import { eventLine, liveLines, printable } from './view.ts';

export interface TerminalLines {
  readonly write: (text: string) => void;
  /** Whether lines can be redrawn. */
  readonly interactive: boolean;
  readonly columns: () => number;
}

const UP_AND_CLEAR = '\x1b[A\x1b[2K';

/** Lines at the end of a terminal that can be taken back. */
export class RedrawnLines {
  readonly #terminal: TerminalLines;
  #drawn = 0;

  constructor(terminal: TerminalLines) {
    this.#terminal = terminal;
  }

  /** A line that stays. */
  say(line: string): void {
    this.clear();
    this.#terminal.write(`${printable(line)}\n`);
  }

  /** Lines that stand until the next call of any method; none where there is no terminal. */
  draw(lines: readonly string[]): void {
    if (!this.#terminal.interactive) return;
    this.clear();
    const width = Math.max(20, this.#terminal.columns() - 1); // a line that wraps could not be taken back
    for (const line of lines) this.#terminal.write(`${printable(line).slice(0, width)}\n`);
    this.#drawn = lines.length;
  }

  /** Leaves what is drawn where it is, since somebody else has written below it. */
  release(): void {
    this.#drawn = 0;
  }

  clear(): void {
    if (this.#drawn > 0) this.#terminal.write(UP_AND_CLEAR.repeat(this.#drawn));
    this.#drawn = 0;
  }
}

const REDRAW_MS = 100;

/** Shows a run from its events. */
export class LiveView {
  readonly #lines: RedrawnLines;
  readonly #now: () => number;
  readonly #board = new Board();
  #drawnAt = Number.NEGATIVE_INFINITY;

  /** `now` is in milliseconds since the epoch. */
  constructor(terminal: TerminalLines, now: () => number) {
    this.#lines = new RedrawnLines(terminal);
    this.#now = now;
  }

  readonly listen = (event: StudyEvent): void => {
    this.#board.apply(event);
    const line = eventLine(event);
    if (line !== undefined) this.#lines.say(line);
    if (event.type === 'study-finished') this.#lines.clear();
    else if (line !== undefined || this.#now() - this.#drawnAt >= REDRAW_MS) this.#draw();
  };

  /** To be called when something else is about to be written to the terminal. */
  release(): void {
    this.#lines.release();
  }

  #draw(): void {
    const { status } = this.#board;
    this.#drawnAt = this.#now();
    if (status) this.#lines.draw(liveLines(status, this.#drawnAt));
  }
}
