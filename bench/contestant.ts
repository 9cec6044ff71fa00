/** Racing partners of bench/bm25.ts and bench/index-threads.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Answer, Command } from './bm25Racer.ts';

/** A process that takes a command a line and answers each with a line. */
export class Contestant {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #extra: Partial<Command>;

  constructor(name: string, program: string, args: readonly string[], extra: Partial<Command> = {}) {
    this.name = name;
    this.#extra = extra;
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  async do(command: Command): Promise<Answer> {
    this.#process.stdin!.write(`${JSON.stringify({ ...command, ...this.#extra })}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`${this.name} ended`);
    return JSON.parse(value) as Answer;
  }

  close(): void {
    this.#process.stdin!.end();
  }
}
