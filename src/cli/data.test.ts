import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { OVERLAP_DEFAULTS } from '../data/index.ts';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-data-cli-'));
after(() => rm(root, { recursive: true }));

async function folderOf(name: string, files: Record<string, string>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name, path)), { recursive: true });
    await writeFile(join(root, name, path), content);
  }
  return join(root, name);
}

const sound = {
  'corpus.jsonl': '{"_id":"a","text":"x"}\n',
  'queries.jsonl': '{"_id":"q","text":"query"}\n{"_id":"r","text":"other"}\n',
  'qrels/test.tsv': 'q\ta\t1\n',
};

test('data ls shows the registry and what is here', async () => {
  await mkdir(join(root, 'cache', 'datasets', 'scifact'), { recursive: true });
  const io = testIo({ ISOFLOP_CACHE: join(root, 'cache') });
  assert.equal(await runProgram(['data', 'ls'], io), 0);
  assert.match(io.stdout(), /^name +split +documents +queries +archive +self-hits +here +licence$/m);
  assert.match(io.stdout(), /^arguana +test +8\.67k +1406 +3\.77MB +drop +CC-BY-SA-4\.0$/m);
  assert.match(io.stdout(), /^scifact +test .* keep +yes/m);
  const json = testIo();
  assert.equal(await runProgram(['data', 'ls', '--json', '--cache', root], json), 0);
  const { datasets } = JSON.parse(json.stdout());
  assert.equal(datasets.length, 14 + 12 + 1);
  assert.equal(datasets.find((dataset: { name: string }) => dataset.name === 'scifact').folder, null);
});

test('data get offline finds what is in the cache and explains what is not', async () => {
  const environment = { ISOFLOP_CACHE: join(root, 'cache'), HF_HUB_OFFLINE: '1' };
  await mkdir(join(root, 'cache', 'datasets', 'scifact'), { recursive: true });
  const here = testIo(environment);
  assert.equal(await runProgram(['data', 'get', 'scifact'], here), 0, here.stderr());
  assert.equal(here.stdout(), `${join(root, 'cache', 'datasets', 'scifact')}\n`);
  const away = testIo(environment);
  assert.equal(await runProgram(['data', 'get', 'nfcorpus'], away), 2);
  assert.match(away.stderr(), /nfcorpus: is not in .* offline/);
  const unknown = testIo(environment);
  assert.equal(await runProgram(['data', 'get', 'sifact', 'x'], unknown), 2);
  assert.match(unknown.stderr(), /sifact: no such collection.*\n.*x: no such collection/);
});

test('data check exits 0 with warnings, 2 with errors or when strict, and prints the same object', async () => {
  const fine = await folderOf('fine', sound);
  const io = testIo();
  assert.equal(await runProgram(['data', 'check', fine], io), 0);
  assert.match(io.stdout(), /1 documents, 2 queries; 0 errors, 1 warnings/);
  assert.match(io.stderr(), /warning: .*queries\.jsonl:2: query 'r' has no judgements/);
  const strict = testIo();
  assert.equal(await runProgram(['data', 'check', fine, '--strict'], strict), 2);
  assert.match(strict.stderr(), /error: .*queries\.jsonl:2/);
  const broken = await folderOf('broken', { ...sound, 'qrels/test.tsv': 'q\tnowhere\t1\n' });
  const json = testIo();
  assert.equal(await runProgram(['data', 'check', broken, '--json'], json), 2);
  const report = JSON.parse(json.stdout());
  assert.equal(report.errorCount, 1);
  assert.match(report.errors[0].where, /qrels\/test\.tsv:1$/);
  assert.match(json.stderr(), /error: .*test\.tsv:1: document 'nowhere' is not in the corpus/);
});

test('data wordnet refuses what makes no sense before it writes anything', async () => {
  const folder = join(root, 'wordnet-data');
  const io = testIo();
  assert.equal(
    await runProgram(['data', 'wordnet', '-o', folder, '--pairs', '3', '--icl-items', '6'], io),
    2,
  );
  assert.match(io.stderr(), /pairs: expected a multiple of 2.*\n.*iclItems: expected a multiple of 4/);
  const there = testIo();
  assert.equal(await runProgram(['data', 'wordnet', '-o', root], there), 2);
  assert.match(there.stderr(), /exists already/);
});

test('data overlap names the test texts that stand in a text', async () => {
  const text = 'The quick brown fox jumps over the lazy dog today';
  const folder = await folderOf('overlap', {
    'corpus.jsonl': `${JSON.stringify({ _id: 'a', title: 'The quick', text: 'brown fox, jumps over the lazy dog today!' })}\n${JSON.stringify({ _id: 'b', text: 'something else that is long enough to be judged here' })}\n`,
    'queries.jsonl': '{"_id":"q","text":"which animal"}\n',
    'qrels/test.tsv': 'q\ta\t1\n',
  });
  const corpus = join(root, 'overlap.txt');
  await writeFile(corpus, text);
  const io = testIo();
  assert.equal(await runProgram(['data', 'overlap', corpus, '--collection', folder], io), 0, io.stderr());
  assert.match(io.stdout(), /^overlap, passages +2 +2 +1 +1 +a$/m);
  assert.match(io.stdout(), /^overlap, queries +1 +0 +0 +0 *$/m);
  const json = testIo();
  assert.equal(
    await runProgram(['data', 'overlap', corpus, '--collection', folder, '--words', '99', '--json'], json),
    0,
  );
  assert.equal(JSON.parse(json.stdout()).sets[0].judged, 0);
  const none = testIo();
  assert.equal(await runProgram(['data', 'overlap', corpus], none), 2);
  assert.match(none.stderr(), /--collection: name at least one collection, or --task-file/);
});

test("data overlap's help names the defaults that hold", async () => {
  const io = testIo();
  assert.equal(await runProgram(['data', 'overlap', '--help'], io), 0);
  const help = io.stdout().replace(/\s+/g, ' '); // it is folded to the terminal's width
  for (const [option, value] of Object.entries(OVERLAP_DEFAULTS))
    assert.match(help, new RegExp(`--${option} <[^(]*\\(default: ${value}\\)`));
});
