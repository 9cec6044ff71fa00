/** Where a run's events go: to its log in the store, and to whoever watches. */
import { isPassing, type Report, type StudyEvent, type Untimed } from './events.ts';
import { LineWriter } from './records.ts';

export type Listener = (event: StudyEvent) => void;

export class Transcript {
  readonly #log: LineWriter;
  readonly #now: () => number;
  readonly #listener: Listener;

  constructor(path: string, now: () => number, listener: Listener) {
    this.#log = new LineWriter(path);
    this.#now = now;
    this.#listener = listener;
  }

  add(event: Untimed<StudyEvent>): void {
    this.#tell({ ...event, at: this.#now() } as StudyEvent);
  }

  /** Passes on what a running step reported, with the time it said it at. */
  relay(step: string, identity: string, report: Report): void {
    this.#tell({ type: 'report', step, identity, report, at: report.at });
  }

  close(): void {
    this.#log.close();
  }

  #tell(event: StudyEvent): void {
    if (!isPassing(event)) this.#log.write(event);
    this.#listener(event);
  }
}
