import type { Progress } from '../base/index.ts';
import { shared } from './shared.ts';

/** How far several threads have come together, and whether they are to stop. */
export class Gauge {
  readonly cells: Int32Array;

  constructor(cells: Int32Array = shared(Int32Array, 2)) {
    this.cells = cells;
  }

  add(count: number): void {
    Atomics.add(this.cells, 0, count);
  }

  get stopped(): boolean {
    return Atomics.load(this.cells, 1) !== 0;
  }

  /** Shows progress while `work` is under way. When `signal` fires the threads are told to stop; then this throws the signal's reason. */
  async watch<T>(
    task: ReturnType<Progress['start']>,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const stop = () => Atomics.store(this.cells, 1, 1);
    const timer = setInterval(() => task.update(Atomics.load(this.cells, 0)), 100);
    signal?.addEventListener('abort', stop);
    try {
      signal?.throwIfAborted();
      const result = await work();
      signal?.throwIfAborted();
      return result;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener('abort', stop);
    }
  }
}
