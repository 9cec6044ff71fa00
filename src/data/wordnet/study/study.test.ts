import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from '../../../base/index.ts';
import { readQrels } from '../../beir.ts';
import { checkCollection } from '../../check.ts';
import { readPairs } from '../../pairs.ts';
import { loadWordNet } from '../wordnet.ts';
import { buildWordnetStudyData, DEFAULT_WORDNET_STUDY, WORDNET_COLLECTIONS } from './build.ts';
import { definitionKey, splitSynsets } from './split.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-wordnet-'));
after(() => rm(folder, { recursive: true }));
const options = { ...DEFAULT_WORDNET_STUDY, queries: 100, documents: 800, pairs: 500, items: 60 };
const data = join(folder, 'data');
const summary = await buildWordnetStudyData(data, options);
const wordnet = await loadWordNet();
const parts = splitSynsets(wordnet, options);
const keyOf = (text: string) => definitionKey({ definition: text } as never);
const lines = async (file: string) =>
  (await readFile(join(data, file), 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as Record<string, unknown>);

test('the parts are disjoint, have their shares, and depend on the seed', () => {
  const count = (part: string) => [...parts.values()].filter(found => found === part).length;
  assert.equal(parts.size, wordnet.synsets.length);
  assert.ok(Math.abs(count('test') / parts.size - 0.05) < 0.005);
  assert.ok(Math.abs(count('dev') / parts.size - 0.02) < 0.005);
  assert.ok(count('unused') > 0 && count('unused') < 0.01 * parts.size);
  const other = splitSynsets(wordnet, { ...options, seed: 18 });
  assert.notDeepEqual([...other.values()], [...parts.values()]);
});

test('no definition that a test or dev query asks with stands in the training text or pairs', async () => {
  const asked = new Set<string>();
  for (const { name } of WORDNET_COLLECTIONS)
    for (const { text } of await lines(`${name}/queries.jsonl`)) asked.add(keyOf(String(text)));
  const definitions = new Map(wordnet.synsets.map(synset => [synset.id, keyOf(synset.definition)]));
  const trained = wordnet.synsets.filter(({ id }) => parts.get(id) === 'train');
  assert.equal((await lines('text.jsonl')).length, trained.length);
  assert.ok(trained.every(({ id }) => !asked.has(definitions.get(id)!)));
  for await (const pairs of readPairs(join(data, 'pairs.jsonl')))
    for (const { query, pos } of pairs)
      for (const text of [query, ...pos]) assert.ok(!asked.has(keyOf(text)), `${text} is asked about`);
});

test('the collections are whole BEIR folders whose queries are no documents of the relatives', async () => {
  for (const { name, testQueries, devQueries } of summary.collections) {
    const report = await checkCollection(join(data, name));
    assert.deepEqual(report.errors, []);
    assert.equal((await readQrels(join(data, name), 'test')).size, testQueries);
    assert.equal((await readQrels(join(data, name), 'dev')).size, devQueries);
  }
  const documents = new Set((await lines('wordnet-relatives/corpus.jsonl')).map(({ _id }) => _id));
  const queries = (await lines('wordnet-relatives/queries.jsonl')).map(({ _id }) => _id);
  assert.deepEqual(
    queries.filter(id => documents.has(id)),
    [],
  );
});

test('an entry has no word of its definition', async () => {
  const texts = new Map(
    (await lines('wordnet-entries/corpus.jsonl')).map(({ _id, text }) => [_id, String(text)]),
  );
  for (const { _id, text } of await lines('wordnet-entries/queries.jsonl')) {
    const said = new Set(
      String(text)
        .toLowerCase()
        .match(/[\p{L}\p{N}]+/gu),
    );
    for (const word of texts
      .get(_id)!
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu)!)
      assert.ok(!said.has(word), word);
  }
});

test('in-context tasks have balanced answers and different choices, and length alone does not give the answer away', async () => {
  for (const { name, type, items } of summary.tasks) {
    const records = await lines(`icl/${name}.jsonl`);
    assert.equal(records.length, items);
    assert.equal(items, options.items);
    if (type === 'language_modeling') {
      for (const { context, continuation } of records) assert.ok(context && continuation);
      continue;
    }
    const choicesOf = (record: Record<string, unknown>) =>
      (record['choices'] ?? record['context_options']) as string[];
    const golds = records.map(({ gold }) => Number(gold));
    for (const place of [0, 1, 2, 3]) assert.equal(golds.filter(gold => gold === place).length, items / 4);
    for (const record of records) assert.equal(new Set(choicesOf(record)).size, 4);
    const longest = records.filter(record => {
      const lengths = choicesOf(record).map(({ length }) => length);
      return lengths[Number(record['gold'])] === Math.max(...lengths);
    });
    assert.ok(
      longest.length / items < 0.45,
      `${name}: the longest is right in ${longest.length} of ${items}`,
    );
  }
});

test('equal options give equal bytes; a folder that is there is not overwritten', async () => {
  const again = join(folder, 'again');
  await buildWordnetStudyData(again, options);
  const files = (await readdir(data, { recursive: true, withFileTypes: true })).filter(entry =>
    entry.isFile(),
  );
  assert.ok(files.length > 14);
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    assert.deepEqual(await readFile(path), await readFile(path.replace(data, again)), path);
  }
  await assert.rejects(buildWordnetStudyData(data, options), InputError);
  await assert.rejects(
    buildWordnetStudyData(join(folder, 'more'), { ...options, queries: 90_000 }),
    InputError,
  );
});
