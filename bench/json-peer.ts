/** A peer in another process that answers one JSON line with one JSON line, so that both sides can run in turn. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type Answer = Readonly<Record<string, unknown>>;

export class JsonPeer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  /** Starts `bench/peers/SCRIPT` with the Python that ISOFLOP_PYTHON names (default python3), with this many threads. */
  static start(script: string, threads: number): JsonPeer {
    const python = process.env['ISOFLOP_PYTHON'] ?? 'python3';
    const path = fileURLToPath(new URL(`../../bench/peers/${script}`, import.meta.url));
    const names = ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'];
    const limits = Object.fromEntries(names.map(name => [name, String(threads)]));
    const env = { ...process.env, ...limits, TOKENIZERS_PARALLELISM: 'false', HF_HUB_OFFLINE: '1' };
    return new JsonPeer(spawn(python, [path], { env, stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  async ask(request: Answer): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the peer ended without an answer');
    return JSON.parse(value) as Answer;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await ended;
  }
}
