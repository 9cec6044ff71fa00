/** A runner in a process of its own, for tests that kill it: `node process.js {"store", "steps", "workers"}`; events on stdout. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Problems } from '../../base/index.ts';
import type { StudyEvent } from '../events.ts';
import { checkStudy } from '../graph.ts';
import { LocalExecutor } from '../local.ts';
import { Registry } from '../registry.ts';
import { runStudy } from '../run.ts';
import type { StepSpec } from '../spec.ts';
import { Store } from '../store.ts';
import { KINDS, type Lab, Running } from './lab.ts';

interface Order {
  readonly store: string;
  readonly steps: readonly StepSpec[];
  readonly workers: number;
}

/** The test's side. */
export class RunnerProcess extends Running {
  readonly #child: ChildProcess;

  constructor(lab: Lab, steps: readonly StepSpec[], workers = 2) {
    super();
    const order: Order = { store: lab.store.root, steps, workers };
    this.#child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(order)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...lab.rig.environment },
    });
    createInterface(this.#child.stdout!).on('line', line => this.listen(JSON.parse(line) as StudyEvent));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for its end; the exit code, or the signal that ended it. */
  async end(): Promise<number | string> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return this.#child.exitCode ?? this.#child.signalCode!;
  }
}

async function main({ store, steps, workers }: Order): Promise<void> {
  const interrupted = new AbortController();
  process.on('SIGINT', () => interrupted.abort());
  const study = await checkStudy({ name: 'test', steps }, await Registry.load([KINDS]), new Problems());
  const { outcome } = await runStudy(study!, {
    store: await Store.open(store),
    executor: new LocalExecutor({ workers, memoryBytes: Number.POSITIVE_INFINITY, environment: process.env }),
    signal: interrupted.signal,
    now: Date.now,
    onEvent: event => console.log(JSON.stringify(event)),
    pollMs: 20,
  });
  process.exitCode = outcome === 'done' ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2]!) as Order);
