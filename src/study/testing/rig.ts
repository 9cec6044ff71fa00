/**
 * Steps that the test conducts: a `gate` step connects to the test and does what it is told, when it is told, so that tests of
 * concurrency depend on no clock. The test's side is `Rig`, the step's `meetTest`.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { writeFileAtomic } from '../../base/index.ts';
import type { StepContext } from '../kind.ts';

const ADDRESS = 'ISOFLOP_TEST_RIG';

interface Hello {
  readonly label: string;
  readonly pid: number;
  /** What an earlier attempt left in scratch; empty if nothing. */
  readonly checkpoint: string;
}

type Command =
  | { readonly do: 'finish'; readonly text: string }
  | { readonly do: 'fail'; readonly message: string }
  | { readonly do: 'stop' }
  | { readonly do: 'checkpoint'; readonly text: string }
  | { readonly do: 'progress'; readonly done: number; readonly total: number }
  | { readonly do: 'warn'; readonly text: string }
  | { readonly do: 'block' };

/** The step's side: obeys until told to end. Returns the text to write. */
export async function meetTest<P>(
  label: string,
  context: Pick<StepContext<P, Record<never, never>>, 'scratch' | 'signal' | 'progress' | 'warn'>,
): Promise<string> {
  const socket = connect(Number(process.env[ADDRESS]), '127.0.0.1');
  const say = (message: unknown) => socket.write(`${JSON.stringify(message)}\n`);
  const path = join(context.scratch, 'checkpoint');
  say({ label, pid: process.pid, checkpoint: await readFile(path, 'utf8').catch(() => '') } satisfies Hello);
  context.signal.addEventListener('abort', () => say('asked to stop'));
  const task = context.progress.start(label, undefined, 'turns');
  for await (const line of createInterface(socket)) {
    const command = JSON.parse(line) as Command;
    if (command.do === 'finish') return command.text;
    if (command.do === 'fail') throw new Error(command.message);
    if (command.do === 'stop') throw context.signal.reason;
    if (command.do === 'checkpoint') await writeFileAtomic(path, command.text);
    if (command.do === 'progress') task.update(command.done);
    if (command.do === 'warn') context.warn(command.text);
    say('done');
    if (command.do === 'block') for (;;); // a computation that never yields
  }
  throw new Error('the test has gone');
}

/** One running `gate` step, as the test sees it. */
export class Invocation {
  readonly label: string;
  readonly pid: number;
  readonly checkpoint: string;
  /** Resolves when the process has ended, in whatever way. */
  readonly ended: Promise<void>;
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  constructor(hello: Hello, socket: Socket, lines: AsyncIterator<string>) {
    this.label = hello.label;
    this.pid = hello.pid;
    this.checkpoint = hello.checkpoint;
    this.#socket = socket;
    this.#lines = lines;
    this.ended = new Promise(resolve => socket.once('close', () => resolve()));
  }

  /** Sends a command and waits for its answer. */
  async tell(command: Command): Promise<void> {
    this.#send(command);
    await this.#expect('done');
  }

  /** The step returns (and its process publishes and ends) some time after this. */
  finish(text = `${this.label}\n`): void {
    this.#send({ do: 'finish', text });
  }

  fail(message: string): void {
    this.#send({ do: 'fail', message });
  }

  /** Lets an interrupted step throw. */
  stop(): void {
    this.#send({ do: 'stop' });
  }

  /** Waits until the runner has asked the step to stop. */
  async askedToStop(): Promise<void> {
    await this.#expect('asked to stop');
  }

  /** `kill -9`, and waits until the process has gone. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.ended;
  }

  #send(command: Command): void {
    this.#socket.write(`${JSON.stringify(command)}\n`);
  }

  async #expect(answer: string): Promise<void> {
    const { value } = await this.#lines.next();
    if (value !== JSON.stringify(answer))
      throw new Error(`${this.label}: expected '${answer}', got ${value}`);
  }
}

/** The test's side: waits for gates to open connections. */
export class Rig {
  readonly #server: Server;
  readonly #arrived: Invocation[] = [];
  readonly #waiting: { label: string; resolve: (invocation: Invocation) => void }[] = [];
  readonly #sockets = new Set<Socket>();
  /** Labels of all gates that have run, in order of arrival. */
  readonly history: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', socket => void this.#greet(socket));
  }

  static async start(): Promise<Rig> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Rig(server);
  }

  /** What the environment of the steps must hold. */
  get environment(): Record<string, string> {
    return { [ADDRESS]: String((this.#server.address() as AddressInfo).port) };
  }

  /** The next gate of that label that begins, or that has begun and was not asked for yet. */
  next(label: string): Promise<Invocation> {
    const index = this.#arrived.findIndex(invocation => invocation.label === label);
    if (index >= 0) return Promise.resolve(this.#arrived.splice(index, 1)[0]!);
    return new Promise(resolve => this.#waiting.push({ label, resolve }));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  async #greet(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.on('error', () => undefined); // a killed step resets its connection; `ended` tells
    const lines = createInterface(socket)[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    if (done) return;
    const invocation = new Invocation(JSON.parse(value) as Hello, socket, lines);
    this.history.push(invocation.label);
    const index = this.#waiting.findIndex(({ label }) => label === invocation.label);
    if (index >= 0) this.#waiting.splice(index, 1)[0]!.resolve(invocation);
    else this.#arrived.push(invocation);
  }
}
