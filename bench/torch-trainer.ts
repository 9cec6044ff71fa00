/** PyTorch's side of a race of training steps: bench/peers/torch_train_step.py in a process of its own, asked by lines of JSON. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { models } from 'isoflop';

const SCRIPT = fileURLToPath(new URL('../../bench/peers/torch_train_step.py', import.meta.url));

export type TorchMode = 'eager' | 'compile';

export interface TorchOptions {
  readonly python: string;
  readonly mode: TorchMode;
  readonly threads: number;
  /** Sequences a step. */
  readonly batch: number;
}

export class TorchTrainer {
  readonly mode: TorchMode;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;

  private constructor(mode: TorchMode, child: ChildProcessWithoutNullStreams) {
    this.mode = mode;
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
    child.stderr.pipe(process.stderr);
  }

  /** Starts the process, builds the model of the same shape and takes three steps, compiling on the way if asked to. */
  static async open(config: models.MptConfig, options: TorchOptions): Promise<TorchTrainer> {
    const { python, mode, threads, batch } = options;
    const environment = { ...process.env, OMP_NUM_THREADS: String(threads) };
    const trainer = new TorchTrainer(mode, spawn(python, [SCRIPT], { env: environment }));
    const { dModel: d_model, heads: n_heads, layers: n_layers, vocabSize: vocab, maxLength: seq } = config;
    await trainer.#ask({ open: { d_model, n_heads, n_layers, vocab, seq, batch, mode, threads } });
    return trainer;
  }

  /** Mean seconds of some steps. */
  async steps(count: number): Promise<number> {
    const { seconds } = (await this.#ask({ steps: count })) as { readonly seconds: readonly number[] };
    return seconds.reduce((sum, value) => sum + value, 0) / count;
  }

  async #ask(request: object): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`PyTorch (${this.mode}) ended without an answer`);
    return JSON.parse(value);
  }

  close(): void {
    this.#child.stdin.end(`${JSON.stringify({ close: true })}\n`);
    this.#lines.close();
  }
}
