/**
 * A thread of a child process that goes on while the step's own code blocks the main one. It ends the process, and whatever
 * the process started, when its lifeline (standard input, held by the runner) closes or when its lease is gone; until then it beats.
 */
import { Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { beat, HEARTBEAT_MS } from './heartbeat.ts';

interface GuardData {
  readonly guard: true;
  readonly lifeline: boolean;
}

/** The main thread's side. */
export class Guard {
  readonly #worker: Worker;

  /** `lifeline`: is standard input held open by the runner? */
  constructor(lifeline: boolean) {
    const data: GuardData = { guard: true, lifeline };
    this.#worker = new Worker(new URL('./guard.js', import.meta.url), { workerData: data });
    this.#worker.unref();
  }

  /** Keeps a lease alive from now on. */
  keep(leasePath: string): void {
    this.#worker.postMessage(leasePath);
  }

  /** Stops guarding; to be called before the lease is given back. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

function endProcess(): void {
  for (const target of [-process.pid, process.pid]) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // not the leader of a process group: there is only ourselves to end
    }
  }
}

function guard({ lifeline }: GuardData): void {
  if (lifeline) {
    const input = new Socket({ fd: 0 });
    input.on('error', endProcess).on('close', endProcess).resume();
  }
  parentPort?.on('message', (leasePath: string) => {
    setInterval(() => beat(leasePath) || endProcess(), HEARTBEAT_MS);
  });
}

if (!isMainThread && (workerData as Partial<GuardData> | null)?.guard) guard(workerData as GuardData);
