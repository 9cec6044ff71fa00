/** Files fetched over HTTP so that a broken connection costs nothing and a wrong byte is noticed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, type ProgressTask, StepError } from '../../base/index.ts';

export interface Source {
  readonly url: string;
  /** Expected size. The checksum decides; without one the size must be exact. */
  readonly bytes: number;
  readonly md5?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface DownloadOptions {
  readonly task: ProgressTask;
  readonly signal?: AbortSignal | undefined;
  /** Attempts in a row without a single new byte before giving up (default 5). */
  readonly attempts?: number;
  /** Waits between attempts, doubling each time (default 1 s); tests pass a shorter one. */
  readonly firstWaitMilliseconds?: number;
}

/**
 * Fetches `source` to `path`. What arrived stays beside it as `path.part` and is continued (`Range`) by the next attempt or the next call; a server that
 * ignores ranges is read from the start. The whole file's MD5 is checked before it gets its name; a mismatch deletes it.
 * Throws a `StepError` that says what was wrong and what to do.
 */
export async function download(source: Source, path: string, options: DownloadOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const resumed = (await sizeOf(part)) > 0;
  await fetchAll(source, part, options);
  const fault = await faultOf(source, part);
  if (fault !== undefined) {
    await rm(part, { force: true });
    // What an earlier call left may have been of another file: once, from the start.
    if (resumed) return download(source, path, options);
    throw new StepError(source.url, fault);
  }
  await rename(part, path);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function fetchAll(source: Source, part: string, options: DownloadOptions): Promise<void> {
  const attempts = options.attempts ?? 5;
  let wait = options.firstWaitMilliseconds ?? 1000;
  for (let failures = 0; ; ) {
    const before = await sizeOf(part);
    try {
      await fetchRest(source, part, options);
      const size = await sizeOf(part);
      if (size >= source.bytes || size === before) return;
      failures = 0; // a connection that ended early without saying so: ask for the rest
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof StepError) throw error;
      failures = (await sizeOf(part)) > before ? 1 : failures + 1;
      if (failures >= attempts) throw unreachable(source, error);
      options.task.update(await sizeOf(part), `connection lost, attempt ${failures + 1}`);
      await pause(wait, options.signal);
      wait = Math.min(2 * wait, 30_000);
    }
  }
}

function unreachable(source: Source, error: unknown): StepError {
  const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : '';
  const advice = 'try again later (it continues where it stopped), or name a mirror with --mirror';
  return new StepError(source.url, `the download broke off: ${messageOf(error)}${cause}; ${advice}`, {
    cause: error,
  });
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** One request for what is missing. Returns when the server says that all is there. */
async function fetchRest(source: Source, part: string, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(part);
  const response = await fetch(source.url, {
    headers: {
      'Accept-Encoding': 'identity',
      ...source.headers,
      ...(have > 0 && { Range: `bytes=${have}-` }),
    },
    ...(options.signal && { signal: options.signal }),
  });
  if (response.status === 416) {
    await response.body?.cancel();
    return; // there is nothing beyond what we have: the checksum will tell whether that is right
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw refusal(source, response);
  }
  const continues = response.status === 206 && rangeStart(response) === have;
  if (response.status === 206 && !continues)
    throw new Error('the server sent another range than was asked for');
  const handle = await open(part, continues ? 'a' : 'w');
  try {
    await writeBody(source, response.body, handle, continues ? have : 0, options);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** 5xx and 429 pass, so they are tried again; any other refusal is final. */
function refusal(source: Source, response: Response): Error {
  const message = `the server answered ${response.status} ${response.statusText}`.trimEnd();
  if (response.status >= 500 || response.status === 429) return new Error(message);
  return new StepError(
    source.url,
    `${message}: is the address still right? A mirror can be named with --mirror`,
  );
}

function rangeStart(response: Response): number {
  return Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
}

async function writeBody(
  source: Source,
  body: ReadableStream<Uint8Array>,
  handle: FileHandle,
  have: number,
  options: DownloadOptions,
): Promise<void> {
  const most = Math.ceil(1.1 * source.bytes); // recorded sizes may be a little old, but not endless
  let received = have;
  for await (const chunk of body) {
    received += chunk.byteLength;
    if (received > most)
      throw new StepError(source.url, `sends more than ${most} bytes where ${source.bytes} were expected`);
    await handle.writeFile(chunk);
    options.task.update(received);
  }
}

/** What is wrong with a file that arrived whole, if anything. */
async function faultOf(source: Source, path: string): Promise<string | undefined> {
  const size = await sizeOf(path);
  if (source.md5 === undefined)
    return size === source.bytes ? undefined : `${size} bytes arrived, expected ${source.bytes}`;
  const hash = createHash('md5');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  const md5 = hash.digest('hex');
  if (md5 === source.md5) return undefined;
  return `the file that arrived (${size} bytes, MD5 ${md5}) is not the one recorded (${source.bytes} bytes, MD5 ${source.md5}): it was changed or damaged`;
}
