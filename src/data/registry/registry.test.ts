import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { create as createTar } from 'tar';
import { InputError, StepError, silentProgress } from '../../base/index.ts';
import {
  cacheFolder,
  DATASETS,
  type Dataset,
  datasetFolder,
  datasetOfFolder,
  datasetsNamed,
  getDataset,
  getDatasets,
  isOffline,
} from './index.ts';
import { zipOf } from './testing.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-registry-'));
after(() => rm(root, { recursive: true }));

type Handler = (request: IncomingMessage, response: ServerResponse, attempt: number) => void;

/** A server on loopback whose behaviour each test sets; it counts requests. */
let handler: Handler = (_, response) => response.end();
let requests: string[] = [];
const server = createServer((request, response) => {
  requests.push(`${request.url} ${request.headers.range ?? 'all'}`);
  handler(request, response, requests.length);
});
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
after(() => {
  server.closeAllConnections();
  server.close();
});
const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/files`;

const files = {
  'tiny/corpus.jsonl': Array.from(
    { length: 400 },
    (_, i) => `{"_id":"d${i}","title":"","text":"text ${i}"}\n`,
  ).join(''),
  'tiny/queries.jsonl': '{"_id":"q","text":"query"}\n',
  'tiny/qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq\td7\t1\n',
  'tiny/README.md': 'left out',
  '__MACOSX/tiny/._corpus.jsonl': 'left out',
};
const archive = zipOf(Object.entries(files).map(([name, content]) => ({ name, content })));

function datasetOf(bytes: Buffer, change: Partial<Dataset> = {}): Dataset {
  return {
    name: 'tiny',
    task: 'Tiny',
    license: 'none',
    archive: {
      url: 'https://example.invalid/tiny.zip',
      bytes: bytes.length,
      md5: createHash('md5').update(bytes).digest('hex'),
      format: 'zip',
    },
    folder: 'tiny',
    split: 'test',
    splits: { test: { queries: 1, judgements: 1 } },
    documents: 400,
    removeSelf: false,
    ...change,
  };
}

let caches = 0;
const newCache = () => join(root, `cache-${caches++}`);

async function get(
  dataset: Dataset,
  cache: string,
  how: Handler,
  options: Partial<Parameters<typeof getDataset>[1]> = {},
) {
  handler = how;
  requests = [];
  const retry = { attempts: 3, firstWaitMilliseconds: 1 };
  return getDataset(dataset, { cache, progress: silentProgress, mirror, retry, ...options });
}

const serve =
  (bytes: Buffer): Handler =>
  (request, response) => {
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start >= bytes.length) {
      response.writeHead(416).end();
      return;
    }
    const range = { 'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(start > 0 ? 206 : 200, {
      'Content-Length': bytes.length - start,
      ...(start > 0 && range),
    });
    response.end(bytes.subarray(start));
  };

async function assertPublished(cache: string): Promise<void> {
  const folder = datasetFolder(cache, 'tiny');
  assert.deepEqual((await readdir(folder)).sort(), ['corpus.jsonl', 'qrels', 'queries.jsonl']);
  assert.equal(await readFile(join(folder, 'corpus.jsonl'), 'utf8'), files['tiny/corpus.jsonl']);
}

test('the registry has the fifteen BEIR sets, the forums and MS MARCO', () => {
  assert.equal(datasetsNamed(['cqadupstack']).length, 12);
  assert.equal(datasetsNamed(['beir']).length, 14 + 12);
  assert.deepEqual(datasetsNamed(['scifact', 'scifact']).length, 1);
  assert.deepEqual(
    DATASETS.filter(dataset => dataset.removeSelf).map(({ name }) => name),
    ['arguana', 'quora'],
  );
  for (const { archive, split, splits } of DATASETS) {
    assert.match(archive.md5, /^[0-9a-f]{32}$/);
    assert.ok(splits[split] && archive.bytes > 1e6);
  }
  assert.equal(datasetsNamed(['msmarco'])[0]!.split, 'dev');
  assert.throws(
    () => datasetsNamed(['scifact', 'sifact', 'x']),
    (error: unknown) => error instanceof InputError && error.problems.length === 2,
  );
  assert.equal(datasetOfFolder('/data/beir/cqadupstack/tex/')?.task, 'CQADupstackTexRetrieval');
  assert.equal(datasetOfFolder('/data/tex'), undefined);
  assert.equal(datasetOfFolder('data/arguana/qrels/..')?.name, 'arguana'); // as `cd arguana` and `.` name it
});

test('the cache folder follows the option, then the environment', () => {
  assert.equal(cacheFolder({ ISOFLOP_CACHE: '/a', HF_HOME: '/b' }, '/c'), '/c');
  assert.equal(cacheFolder({ ISOFLOP_CACHE: '/a', HF_HOME: '/b' }), '/a');
  assert.equal(cacheFolder({ HF_HOME: '/b' }), '/b/isoflop');
  assert.match(cacheFolder({}), /\.cache.isoflop$/);
  assert.ok(isOffline({ HF_HUB_OFFLINE: '1' }) && isOffline({}, true) && !isOffline({}));
});

test('a collection is fetched once, unpacked and published whole', async () => {
  const cache = newCache();
  const dataset = datasetOf(archive);
  assert.deepEqual(await get(dataset, cache, serve(archive)), {
    name: 'tiny',
    folder: datasetFolder(cache, 'tiny'),
    cached: false,
  });
  await assertPublished(cache);
  assert.deepEqual(requests, ['/files/tiny.zip all']);
  assert.equal((await get(dataset, cache, serve(archive))).cached, true);
  assert.equal((await get(dataset, cache, serve(archive), { offline: true })).cached, true);
  assert.deepEqual(requests, []);
});

test('a connection that breaks is continued where it stopped', async () => {
  const cache = newCache();
  await get(datasetOf(archive), cache, (request, response, attempt) => {
    if (attempt > 3) return serve(archive)(request, response, attempt);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'Content-Length': archive.length - start,
      ...(start > 0 && { 'Content-Range': `bytes ${start}-${archive.length - 1}/${archive.length}` }),
    });
    response.write(archive.subarray(start, start + 300), () => setTimeout(() => response.destroy(), 20));
  });
  await assertPublished(cache);
  assert.deepEqual(
    requests,
    ['all', ...[300, 600, 900].map(n => `bytes=${n}-`)].map(range => `/files/tiny.zip ${range}`),
  );
});

test('a connection that ends early without a length is continued too', async () => {
  const cache = newCache();
  await get(datasetOf(archive), cache, (request, response, attempt) => {
    if (attempt > 1) return serve(archive)(request, response, attempt);
    response.writeHead(200);
    response.end(archive.subarray(0, 500)); // chunked, and closed as if that were all
  });
  await assertPublished(cache);
  assert.equal(requests[1], '/files/tiny.zip bytes=500-');
});

test('what an earlier run left is continued; a server that ignores ranges is read from the start', async () => {
  for (const how of ['ranges', 'no ranges'] as const) {
    const cache = newCache();
    const part = join(cache, 'downloads', 'tiny.zip.part');
    await mkdir(dirname(part), { recursive: true });
    await writeFile(part, archive.subarray(0, 1000));
    await get(
      datasetOf(archive),
      cache,
      how === 'ranges' ? serve(archive) : (_, response) => void response.end(archive),
    );
    await assertPublished(cache);
    assert.deepEqual(requests, ['/files/tiny.zip bytes=1000-']);
  }
});

test('leftovers of another file are noticed by the checksum and fetched anew', async () => {
  const cache = newCache();
  const part = join(cache, 'downloads', 'tiny.zip.part');
  await mkdir(dirname(part), { recursive: true });
  await writeFile(part, Buffer.alloc(1000, 1));
  await get(datasetOf(archive), cache, serve(archive));
  await assertPublished(cache);
  assert.deepEqual(requests, ['/files/tiny.zip bytes=1000-', '/files/tiny.zip all']);
});

async function refused(dataset: Dataset, how: Handler, message: RegExp): Promise<void> {
  const cache = newCache();
  await assert.rejects(get(dataset, cache, how), (error: unknown) => {
    assert.ok(error instanceof StepError, String(error));
    assert.match(error.message, message);
    return true;
  });
  const left = await readdir(join(cache, 'datasets')).catch(() => []);
  assert.deepEqual(left, [], 'nothing is published');
}

test('wrong bytes, endless bytes, refusals and dead servers are errors that say so', async () => {
  const wrong = Buffer.from(archive);
  wrong[100]! ^= 1;
  await refused(datasetOf(archive), serve(wrong), /is not the one recorded \(\d+ bytes, MD5/);
  await refused(datasetOf(archive), serve(Buffer.alloc(3 * archive.length)), /sends more than \d+ bytes/);
  await refused(
    datasetOf(archive),
    (_, response) => void response.writeHead(404).end('gone'),
    /answered 404.*--mirror/,
  );
  await refused(
    datasetOf(archive),
    (_, response) => void response.writeHead(503).end(),
    /broke off.*answered 503/,
  );
  assert.equal(requests.length, 3);
  await refused(datasetOf(archive), (_, response) => void response.destroy(), /broke off/);
});

test('offline, what is not in the cache is an error that says how to get it', async () => {
  const cache = newCache();
  await assert.rejects(
    get(datasetOf(archive), cache, serve(archive), { offline: true }),
    (error: unknown) => error instanceof InputError && /data get tiny/.test(error.message),
  );
  assert.deepEqual(requests, []);
});

test('counts that differ from the recorded ones are refused', async () => {
  await refused(datasetOf(archive, { documents: 401 }), serve(archive), /400 documents, expected 401/);
  await refused(
    datasetOf(archive, {
      splits: { test: { queries: 1, judgements: 1 }, dev: { queries: 1, judgements: 2 } },
    }),
    serve(archive),
    /0 judged queries in dev, expected 1; 0 judgements in dev/,
  );
});

test('an archive that several collections share is fetched once and dropped at the end', async () => {
  const shared = zipOf(
    ['a', 'b'].flatMap(name =>
      Object.entries(files).map(([path, content]) => ({
        name: path.replace('tiny/', `set/${name}/`),
        content,
      })),
    ),
  );
  const cache = newCache();
  const datasets = ['a', 'b'].map(name => datasetOf(shared, { name: `set/${name}`, folder: `set/${name}` }));
  handler = serve(shared);
  requests = [];
  const got = await getDatasets(datasets, { cache, progress: silentProgress, mirror });
  assert.deepEqual(
    got.map(({ name }) => name),
    ['set/a', 'set/b'],
  );
  assert.equal(requests.length, 1);
  assert.deepEqual(await readdir(join(cache, 'downloads')), []);
});

test('hostile zip archives write nothing outside and nothing in', async () => {
  const corpus = { name: 'tiny/corpus.jsonl', content: '{}' };
  const hostile: readonly (readonly [Buffer, RegExp])[] = [
    [zipOf([{ name: '../evil', content: 'x' }]), /evil|relative/],
    [zipOf([{ name: 'tiny/../../evil', content: 'x' }]), /evil|relative/],
    [zipOf([{ name: '/etc/evil', content: 'x' }]), /evil|absolute/],
    [zipOf([{ name: 'tiny\\..\\evil', content: 'x' }]), /evil|invalid/],
    [zipOf([{ name: 'C:/evil', content: 'x' }]), /evil|absolute/],
    [zipOf([{ name: 'tiny/corpus.jsonl', content: '/etc/passwd', mode: 0o120777 }]), /is a link or a device/],
    [zipOf([corpus, corpus]), /occurs twice/],
    [zipOf([{ ...corpus, declared: 2 ** 31 }]), /declares sizes beyond/],
    [zipOf([{ ...corpus, content: 'x'.repeat(5000), declared: 10 }]), /too many bytes|more than|unpacked/],
    [zipOf([{ ...corpus, content: 'x', declared: 10 }]), /not enough bytes|declares|unpacked/],
    [
      zipOf(Array.from({ length: 10_001 }, (_, i) => ({ name: `tiny/${i}`, content: '' }))),
      /beyond the 10000 members/,
    ],
    [Buffer.from('not a zip at all'), /can not be unpacked/],
    [archive.subarray(0, archive.length - 30), /can not be unpacked/],
    [zipOf([{ name: 'other/corpus.jsonl', content: 'x' }]), /holds no file of tiny/],
  ];
  for (const [bytes, message] of hostile) await refused(datasetOf(bytes), serve(bytes), message);
  await assert.rejects(stat(join(root, 'evil')));
});

test('a zip bomb is stopped by what it unpacks to', async () => {
  const bomb = zipOf([{ name: 'tiny/corpus.jsonl', content: Buffer.alloc(80 << 20) }]);
  assert.ok(bomb.length < 1 << 20);
  await refused(datasetOf(bomb), serve(bomb), /declares sizes beyond/);
});

test('tar archives are unpacked by the same rules', async () => {
  const source = join(root, 'tar-source');
  const members = {
    'collection.tsv': '0\tx\n1\ty\n',
    'queries.dev.small.tsv': '7\tq\n',
    'qrels.dev.small.tsv': '7\t0\t1\t1\n',
    other: 'x',
  };
  await mkdir(source);
  for (const [name, content] of Object.entries(members)) await writeFile(join(source, name), content);
  const pack = async (names: string[], options: { preservePaths?: boolean; cwd?: string } = {}) => {
    const path = join(root, 'packed.tar.gz');
    await createTar({ file: path, gzip: true, cwd: source, ...options }, names);
    return readFile(path);
  };
  const tarDataset = (bytes: Buffer) => {
    const dataset = datasetOf(bytes, {
      folder: '',
      splits: { 'dev.small': { queries: 1, judgements: 1 } },
      documents: 2,
    });
    return {
      ...dataset,
      archive: { ...dataset.archive, url: 'https://example.invalid/tiny.tar.gz', format: 'tar.gz' as const },
    };
  };
  const good = await pack(Object.keys(members));
  const cache = newCache();
  const { folder } = await get(tarDataset(good), cache, serve(good));
  assert.deepEqual((await readdir(folder)).sort(), [
    'collection.tsv',
    'qrels.dev.small.tsv',
    'queries.dev.small.tsv',
  ]);
  await mkdir(join(source, 'inner'));
  const escaping = await pack(['../collection.tsv'], { preservePaths: true, cwd: join(source, 'inner') });
  await refused(tarDataset(escaping), serve(escaping), /leaves the folder/);
  await symlink('/etc/passwd', join(source, 'queries.x.tsv'));
  const linking = await pack(['queries.x.tsv']);
  await refused(tarDataset(linking), serve(linking), /is a link or a device/);
  await refused(
    tarDataset(good.subarray(0, 60)),
    serve(good.subarray(0, 60)),
    /can not be unpacked|holds no file/,
  );
});
