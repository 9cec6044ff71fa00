/**
 * The dashboard: a small web server that reads a store and reports, and changes nothing. It listens on this machine alone unless told otherwise,
 * and answers only requests that name it as it was named, so that a web page elsewhere cannot read it through the reader's browser.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCode, InputError, messageOf, prettyJson } from '../base/index.ts';
import { NAME, timeLeft } from '../study/index.ts';
import { POLICY, shell } from './page.ts';
import { readReportFile } from './report-files.ts';
import { type SnapshotOptions, Snapshots } from './snapshots.ts';
import { storeView, studyView } from './study-view.ts';

export interface ServeOptions extends SnapshotOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Fires: the server closes. */
  readonly signal: AbortSignal;
  /** How often a page that is looked at is brought up to date (default 1000). */
  readonly everyMs?: number;
}

export interface Dashboard {
  readonly url: string;
  /** Settles when the server has closed. */
  readonly closed: Promise<void>;
}

/** Starts the dashboard. Throws an `InputError` if it cannot listen there. */
export async function serve(options: ServeOptions): Promise<Dashboard> {
  const site = new Site(options);
  const server = createServer((request, response) => void site.answer(request, response));
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const closed = new Promise<void>(resolve => server.once('close', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  if (options.signal.aborted) close();
  else options.signal.addEventListener('abort', close, { once: true });
  return { url: `http://${bracketed(options.host)}:${port}/`, closed };
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

async function listen(server: Server, { host, port }: ServeOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((error: unknown) => {
    if (hasCode(error, 'EADDRINUSE'))
      throw new InputError(
        `port ${port}`,
        'is in use: choose another with --port, or 0 for any that is free',
      );
    throw new InputError(`${host}:${port}`, `cannot be listened on: ${messageOf(error)}`);
  });
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
}

const HTML = 'text/html; charset=utf-8';
const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

const NOT_FOUND: Answer = { status: 404, type: TEXT, body: 'not found\n' };

class Site {
  readonly #options: ServeOptions;
  readonly #snapshots: Snapshots;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#snapshots = new Snapshots(options);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const refusal = this.#refusal(request);
      const [path = '/'] = (request.url ?? '/').split(/[?#]/, 1); // as it came: nothing in it is resolved
      const events = refusal === undefined ? /^\/events(\/.*)$/.exec(path) : null;
      if (events) await this.#stream(events[1]!, response);
      else send(response, refusal ?? (await this.#page(path)), request.method === 'HEAD');
    } catch (error) {
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, type: TEXT, body: `${messageOf(error)}\n` }, false);
    }
  }

  #refusal({ method, headers }: IncomingMessage): Answer | undefined {
    if (method !== 'GET' && method !== 'HEAD')
      return { status: 405, type: TEXT, body: 'this server only reads\n' };
    if (!isOwnName(headers.host, this.#options.host))
      return { status: 403, type: TEXT, body: 'this server does not go by that name\n' };
    return undefined;
  }

  async #page(path: string): Promise<Answer> {
    const parts = path.split('/').slice(1).map(decoded);
    const [first, name = '', ...rest] = parts;
    if (parts.length === 1 && first === '') return this.#html('studies', '/');
    if (first === 'studies' && parts.length === 2) return this.#html(name, `/studies/${name}`);
    if (first === 'api' && name === 'studies') return this.#json(rest);
    if (first === 'reports' && NAME.test(name) && rest.length > 0)
      return (await readReportFile(this.#options.reports, name, rest.join('/'))) ?? NOT_FOUND;
    return NOT_FOUND;
  }

  async #html(title: string, path: string): Promise<Answer> {
    const body = await this.#view(path);
    return body === undefined
      ? NOT_FOUND
      : { status: 200, type: HTML, body: shell(title, body, `/events${path}`) };
  }

  /** The inside of a page; undefined where there is none. */
  async #view(path: string) {
    const now = this.#options.now();
    if (path === '/') return storeView(await this.#snapshots.studies(), now);
    const name = decoded(/^\/studies\/([^/]+)$/.exec(path)?.[1] ?? '');
    const snapshot = NAME.test(name) ? await this.#snapshots.study(name) : undefined;
    return snapshot && studyView(snapshot, now);
  }

  async #json([name, ...rest]: readonly string[]): Promise<Answer> {
    if (name === undefined)
      return { status: 200, type: JSON_TYPE, body: prettyJson({ studies: await this.#snapshots.studies() }) };
    const snapshot = NAME.test(name) && rest.length === 0 ? await this.#snapshots.study(name) : undefined;
    if (snapshot === undefined) return NOT_FOUND;
    const { status, metrics } = snapshot;
    const body = {
      ...status,
      left: timeLeft(status, this.#options.now()),
      measured: Object.fromEntries(metrics),
    };
    return { status: 200, type: JSON_TYPE, body: prettyJson(body) };
  }

  /** Server-sent events: the page's inside whenever it has changed, for as long as somebody looks. */
  async #stream(path: string, response: ServerResponse): Promise<void> {
    let view = await this.#view(path);
    if (view === undefined) return send(response, NOT_FOUND, false);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/event-stream; charset=utf-8' });
    for (let sent = ''; !gone.signal.aborted && view !== undefined; view = await this.#view(path)) {
      const text: string = JSON.stringify(view.text);
      response.write(text === sent ? ': as it was\n\n' : `event: view\ndata: ${text}\n\n`);
      sent = text;
      await pause(this.#options.everyMs ?? 1000, undefined, { signal: gone.signal }).catch(() => undefined);
    }
    response.end();
  }
}

/** A part of a path; what is no encoding of anything becomes a character that no name has. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '\ufffd';
  }
}

/** Does a request name this machine, or the address the server was told to listen on? Names of a foreign site that leads here do not. */
function isOwnName(host: string | undefined, own: string): boolean {
  const name = host?.replace(/:\d+$/, '').toLowerCase();
  return name !== undefined && ['localhost', '127.0.0.1', '[::1]', bracketed(own)].includes(name);
}

const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

function send(response: ServerResponse, { status, type, body }: Answer, headOnly: boolean): void {
  const policy = type === HTML ? { 'Content-Security-Policy': POLICY } : {};
  response.writeHead(status, {
    ...HEADERS,
    ...policy,
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(headOnly ? undefined : body);
}
