import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { InputError } from '../base/index.ts';
import { Store, type StudyEvent } from '../study/index.ts';
import { type ServeOptions, serve } from './server.ts';

async function dashboard(t: TestContext, options: Partial<ServeOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'isoflop-web-'));
  const ending = new AbortController();
  const store = await Store.open(join(folder, 'store'));
  const reports = join(folder, 'reports');
  const { signal } = ending;
  let time = 1e12;
  const now = () => (time += 60_000); // what was read a moment ago is old at every look
  const served = await serve({
    ...{ store, reports, host: '127.0.0.1', port: 0, now, everyMs: 20, signal },
    ...options,
  });
  t.after(async () => {
    ending.abort();
    await served.closed;
    await rm(folder, { recursive: true });
  });
  const get = (path: string) => fetch(new URL(path, served.url), { signal: AbortSignal.timeout(20_000) });
  return { ...served, store, reports, ending, get };
}

const identity = '1'.repeat(64);

const started: StudyEvent = {
  ...{ type: 'study-started', at: 1e12, study: 'test', run: 'r', machine: 'here', pid: 1, executor: 'local' },
  workers: 2,
  steps: [
    { name: 'one', kind: 'make', needs: [] },
    { name: 'two', kind: 'make', needs: ['one'] },
  ],
};
const cached = (step: string): StudyEvent => ({ type: 'step-cached', at: 1e12, step, identity });
const finished: StudyEvent = { type: 'study-finished', at: 1e12 + 5000, outcome: 'done', seconds: 5 };

/** Writes a run as a runner would have: its status is read from its events alone. */
async function writeRun(store: Store, ...events: readonly StudyEvent[]): Promise<void> {
  const runs = join(store.studyFolder('test'), 'runs');
  await mkdir(runs, { recursive: true });
  await appendFile(join(runs, 'r.jsonl'), events.map(event => `${JSON.stringify(event)}\n`).join(''));
}

/** A request as no browser would send it. */
function statusOf(url: string, path: string, host: string, method = 'GET'): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, headers: { host }, method, timeout: 20_000 }, response => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end();
  });
}

test('the pages show where a study stands, and the same as JSON', async t => {
  const { get, store } = await dashboard(t);
  assert.match(await (await get('/')).text(), /No study has been run/);
  const losses: StudyEvent[] = [1e3, 2e3].map(position => ({
    ...{ type: 'report', at: 1e12, step: 'one', identity },
    report: { type: 'metrics', at: 1e12, values: { heldOutLossNats: 5 - position / 1e3 }, position },
  }));
  await writeRun(store, started, ...losses, cached('one'), cached('two'), finished);
  const page = await get('/studies/test');
  assert.match(page.headers.get('content-security-policy')!, /^default-src 'none'/);
  const text = await page.text();
  assert.match(text, /2 of 2 steps/);
  assert.match(text, /<svg .*one/s);
  const { outcome, measured } = (await (await get('/api/studies/test')).json()) as Record<string, unknown>;
  assert.equal(outcome, 'done');
  assert.deepEqual(measured, { one: { heldOutLossNats: 3 }, two: { heldOutLossNats: 3 } });
  const { studies } = (await (await get('/api/studies')).json()) as { studies: { study: string }[] };
  assert.deepEqual(
    studies.map(({ study }) => study),
    ['test'],
  );
});

test('events bring the page up to date while somebody looks, and end with the server', async t => {
  const { get, store, ending, closed } = await dashboard(t);
  await writeRun(store, started, cached('one'));
  const stream = await get('/events/studies/test');
  assert.equal(stream.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  let seen = '';
  let told = false;
  for await (const chunk of stream.body!) {
    seen += Buffer.from(chunk).toString('utf8');
    if (seen.includes('2 of 2 steps')) break;
    if (!told && seen.includes('1 of 2 steps')) {
      told = true;
      await writeRun(store, cached('two'), finished);
    }
  }
  assert.match(seen, /^event: view\ndata: "/);
  ending.abort();
  await closed;
});

test('only reading, only by its own name, only what is there', async t => {
  const { url } = await dashboard(t);
  const { host } = new URL(url);
  assert.equal(await statusOf(url, '/', host), 200);
  assert.equal(await statusOf(url, '/', host.replace('127.0.0.1', 'localhost')), 200);
  assert.equal(await statusOf(url, '/', host, 'HEAD'), 200);
  assert.equal(await statusOf(url, '/', 'evil.example'), 403);
  assert.equal(await statusOf(url, '/', host, 'POST'), 405);
  const nowhere = [
    '/studies/none',
    '/studies/..',
    '/studies/../api/studies',
    '/studies/%2e%2e%2f',
    '/api/studies/none',
    '/api/studies/a/b',
  ];
  for (const path of [
    ...nowhere,
    '/events/studies/none',
    '/events',
    '/reports/none/x.html',
    '/x',
    '//',
    '/%ff',
  ])
    assert.equal(await statusOf(url, path, host), 404, path);
});

test('of a report the files that it lists are served, and no others', async t => {
  const { url, reports, get } = await dashboard(t);
  const folder = join(reports, 'r');
  await mkdir(join(folder, 'figures'), { recursive: true });
  const files = { 'index.html': 5, 'figures/a.svg': 6, 'odd.exe': 1 };
  const record = { kind: 'isoflop-report', renderer: 1, study: 'r', results: '', provenance: '', files };
  await writeFile(join(folder, 'report.json'), JSON.stringify(record));
  await writeFile(join(folder, 'index.html'), 'page');
  await writeFile(join(folder, 'figures', 'a.svg'), '<svg/>');
  for (const path of ['odd.exe', 'secret.json', '../outside.json']) await writeFile(join(folder, path), '{}');
  const page = await get('/reports/r/index.html');
  assert.equal(await page.text(), 'page');
  assert.match(page.headers.get('content-type')!, /^text\/html/);
  assert.equal((await get('/reports/r/figures/a.svg')).headers.get('content-type'), 'image/svg+xml');
  const { host } = new URL(url);
  for (const path of ['secret.json', '../outside.json', '%2e%2e/outside.json', 'odd.exe', 'constructor', ''])
    assert.equal(await statusOf(url, `/reports/r/${path}`, host), 404, path);
});

test('a port in use is named, with what to do', async t => {
  const { url } = await dashboard(t);
  const port = Number(new URL(url).port);
  await assert.rejects(
    dashboard(t, { port }),
    (error: unknown) => error instanceof InputError && /--port/.test(error.message),
  );
});
