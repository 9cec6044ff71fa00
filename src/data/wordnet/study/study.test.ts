import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { InputError, Rng, sha256 } from '../../../base/index.ts';
import { checkCollection } from '../../check.ts';
import { type PairRecord, readPairs } from '../../pairs.ts';
import { synsetText } from '../text.ts';
import { loadWordNet } from '../wordnet.ts';
import { buildWordnetStudyData, type WordnetStudyData, wordnetStudyData } from './build.ts';
import { closedGroups } from './choices.ts';
import { DocumentSet, exactly } from './collection.ts';
import { entryText } from './entries.ts';
import type { IclTask } from './icl.ts';
import { studyOptions, WORDNET_STUDY_DEFAULTS } from './options.ts';
import { areRelated } from './relations.ts';
import { definitionKey, pretrainingSource, splitSynsets } from './split.ts';
import { phrasesWithin, wordsOf } from './words.ts';

const SMALL = { queries: 60, devQueries: 20, documents: 600, pairs: 200, iclItems: 40 };
const wordnet = await loadWordNet();
const options = studyOptions(SMALL);
const data: WordnetStudyData = wordnetStudyData(wordnet, options);
const root = await mkdtemp(join(tmpdir(), 'isoflop-wordnet-study-'));
after(() => rm(root, { recursive: true }));
const folder = join(root, 'data');
const manifest = await buildWordnetStudyData(folder, SMALL);

const synsetOf = (id: string) => wordnet.get(id.replace(/^(q|def|entry)-/, ''))!;
const { isTest } = data.material.split;
const splitQueries = (split: string) =>
  Object.values(data.collections).flatMap(({ queries }) => queries[split] ?? []);

test('the split is disjoint, keeps equal definitions together, and has about the share asked for', async () => {
  const { train, test: tested } = data.material.split;
  assert.equal(train.length + tested.length, wordnet.synsets.length);
  const keys = new Set(tested.map(({ definition }) => definitionKey(definition)));
  assert.ok(train.every(({ definition }) => !keys.has(definitionKey(definition))));
  assert.ok(Math.abs(tested.length / wordnet.synsets.length - 0.1) < 0.005);
  assert.deepEqual(splitSynsets(wordnet, options).test, tested);
  const other = splitSynsets(wordnet, { ...options, seed: 18 });
  assert.ok(other.test.filter(isTest).length < 0.15 * tested.length);
  // A larger share only adds to the test side.
  const more = splitSynsets(wordnet, { ...options, testShare: 0.2 });
  assert.ok(tested.every(more.isTest) && more.test.length > 1.8 * tested.length);
  const source = await pretrainingSource(data.material.split);
  const texts: string[] = [];
  for await (const batch of source.documents()) texts.push(...batch.texts);
  assert.deepEqual(texts, train.map(synsetText));
});

test('the pretraining text on the disk has no test synset and no test query', async () => {
  const lines = (await readFile(join(folder, 'pretraining.jsonl'), 'utf8')).trimEnd().split('\n');
  const texts = lines.map(line => (JSON.parse(line) as { text: string }).text);
  assert.equal(texts.length, data.material.split.train.length);
  const definitions = new Set(data.material.split.test.map(({ definition }) => definition));
  const known = texts.map(text => / : (.*)$/s.exec(text)![1]!);
  assert.ok(known.every(text => !definitions.has(text) && !definitions.has(text.split(' ; ')[0]!)));
  const all = `\n${texts.map(text => wordsOf(text).join(' ')).join('\n')}\n`; // the oracle: plain search
  for (const { text } of splitQueries('test'))
    assert.ok(!new RegExp(`[ \\n]${wordsOf(text).join(' ')}[ \\n]`).test(all), text);
});

test('training and validation have nothing of the test side, and nothing of each other', async () => {
  const tested = new Set(data.material.split.test.map(({ definition }) => definitionKey(definition)));
  const read = async (name: string) => {
    const records: PairRecord[] = [];
    for await (const block of readPairs(join(folder, 'pairs', `${name}.jsonl`))) records.push(...block);
    return records;
  };
  const [train, dev] = [await read('train'), await read('dev')];
  assert.deepEqual([train.length, dev.length], [SMALL.pairs, 2 * SMALL.devQueries]);
  for (const { query_id, query, pos, pos_ids } of [...train, ...dev]) {
    for (const id of [query_id!.replace(/-entry$/, ''), ...pos_ids!]) assert.ok(!isTest(synsetOf(id)), id);
    for (const text of [query, ...pos]) assert.ok(!tested.has(definitionKey(text)), text);
  }
  const queries = new Set(train.map(({ query }) => query));
  assert.equal(new Set(train.map(({ query_id }) => query_id)).size, train.length);
  assert.ok(queries.size < train.length); // most synsets ask for relatives and for their entry
  assert.ok(dev.every(({ query }) => !queries.has(query)));
  assert.ok(train.every(({ pos }) => pos.every(text => !queries.has(text))));
  const asked = splitQueries('test').map(({ id }) => synsetOf(id));
  assert.ok(asked.every(isTest) && asked.length === 2 * SMALL.queries);
});

test('the folders are collections without a fault', async () => {
  for (const [name, { documents }] of Object.entries(data.collections)) {
    const report = await checkCollection(join(folder, name));
    assert.deepEqual([report.errors, report.warnings], [[], []]);
    assert.equal(report.documents, documents.length);
    const { queries } = manifest.collections[name]!;
    for (const split of report.splits) assert.equal(split.queries, queries[split.split]);
  }
  assert.equal(manifest.collections['wordnet-relatives']!.documents, SMALL.documents);
  assert.equal(manifest.collections['wordnet-entries']!.documents, SMALL.documents);
});

test('relatives: exactly the hypernyms and siblings among the documents are relevant', () => {
  const { documents, queries } = data.collections['wordnet-relatives']!;
  for (const { id, text, relevant } of [...queries['test']!, ...queries['dev']!]) {
    const synset = synsetOf(id);
    assert.equal(text, synset.definition);
    const above = new Set(wordnet.hypernyms(synset).map(({ definition }) => definition));
    const beside = new Set(wordnet.siblings(synset).map(({ definition }) => definition));
    for (const document of documents) {
      const grade = above.has(document.text) ? 2 : beside.has(document.text) ? 1 : undefined;
      assert.equal(relevant.get(document.id), grade, `${id} ${document.id}`);
      assert.notEqual(document.text, text);
    }
    assert.ok(relevant.size > 0);
  }
  assert.ok(documents.every(({ id }) => !isTest(synsetOf(id))));
});

test('entries: one relevant document, with no word of the definition', () => {
  const { documents, queries } = data.collections['wordnet-entries']!;
  const textOf = new Map(documents.map(({ id, text }) => [id, text]));
  for (const { id, text, relevant } of queries['test']!) {
    assert.equal(relevant.size, 1);
    const [[document]] = [...relevant] as [[string, number]];
    assert.equal(synsetOf(document), synsetOf(id));
    const words = new Set(wordsOf(text));
    assert.ok(wordsOf(textOf.get(document)!).every(word => !words.has(word)));
  }
  const dog = wordnet.synsets.find(({ lemmas }) => lemmas.includes('domestic dog'))!;
  assert.equal(
    entryText(wordnet, dog),
    'dog, domestic dog ; canine, canid, domestic animal, carnivore, animal, animate being, beast, brute, creature, fauna, placental, placental mammal, eutherian, eutherian mammal, organism, being, mammal, mammalian, living thing, animate thing',
  );
});

test('items of in-context tasks are valid, about unseen texts, and right in one place', () => {
  for (const { label, type, chance, records } of data.tasks) {
    assert.equal(records.length, SMALL.iclItems, label);
    for (const record of records) {
      if (type === 'language_modeling') {
        assert.ok('context' in record && /^\p{L}+$/u.test(record.continuation) && / ; /.test(record.context));
        assert.equal(record.context, record.context.trimEnd());
        continue;
      }
      assert.ok('gold' in record);
      const options = optionsOf(record);
      assert.equal(options.length, Math.round(1 / chance));
      assert.equal(new Set(options).size, options.length);
      assert.ok(Number.isInteger(record.gold) && record.gold >= 0 && record.gold < options.length);
    }
  }
  const schema = data.tasks.find(({ label }) => label === 'wordnet_lemma_schema')!;
  const continuations = schema.records.map(record => ('continuation' in record ? record.continuation : ''));
  assert.deepEqual([...phrasesWithin(continuations, data.material.pretraining)], []);
});

function optionsOf(record: IclTask['records'][number]): readonly string[] {
  if ('choices' in record) return record.choices;
  return 'context_options' in record ? record.context_options : [];
}

test('whoever looks only at the options is right exactly as often as chance', () => {
  const guesses: Record<string, (options: readonly string[]) => number> = {
    first: () => 0,
    last: options => options.length - 1,
    longest: options => options.indexOf(options.toSorted((a, b) => b.length - a.length)[0]!),
    shortest: options => options.indexOf(options.toSorted((a, b) => a.length - b.length)[0]!),
    frequent: options => {
      const of = (text: string) => data.material.frequency(text);
      return options.indexOf(options.toSorted((a, b) => of(b) - of(a))[0]!);
    },
  };
  for (const { label, chance, records } of data.tasks.filter(({ chance }) => chance > 0))
    for (const [name, guess] of Object.entries(guesses)) {
      const right = records.filter(record => 'gold' in record && guess(optionsOf(record)) === record.gold);
      assert.equal(right.length, records.length * chance, `${label} by ${name}`);
    }
});

test('no wrong option of a hypernym or antonym item is true', () => {
  const byDefinition = new Map(wordnet.synsets.map(synset => [synset.definition, synset]));
  const { records } = data.tasks.find(({ label }) => label === 'wordnet_hypernym_schema')!;
  for (const record of records) {
    assert.ok('continuation' in record && 'context_options' in record);
    const synset = byDefinition.get(record.continuation)!;
    let above = wordnet.hypernyms(synset);
    const names = new Set<string>();
    for (let depth = 0; depth < 30; depth++) {
      for (const { lemmas } of above) for (const lemma of lemmas) names.add(`${lemma} :`);
      above = [...new Set(above.flatMap(next => wordnet.hypernyms(next)))];
    }
    assert.deepEqual(
      record.context_options.map(option => names.has(option)),
      record.context_options.map((_, i) => i === record.gold),
    );
  }
  const [hot] = wordnet.synsets.filter(({ definition }) => definition.startsWith('used of physical heat'));
  const [cold] = wordnet.related(hot!, 'antonym');
  assert.ok(areRelated(hot!, cold!) && areRelated(cold!, hot!) && areRelated(hot!, hot!));
});

test('the task list names the files and llm-foundry types', async () => {
  const { icl_tasks } = parse(await readFile(join(folder, 'icl', 'tasks.yaml'), 'utf8')) as {
    icl_tasks: { label: string; dataset_uri: string; icl_task_type: string; num_fewshot: number[] }[];
  };
  const gauntlet = parse(await readFile(join(folder, 'icl', 'gauntlet.yaml'), 'utf8')) as {
    eval_gauntlet: { categories: { benchmarks: { name: string }[] }[] };
  };
  const benchmarks = gauntlet.eval_gauntlet.categories.flatMap(category => category.benchmarks);
  assert.deepEqual(benchmarks.map(({ name }) => name).sort(), icl_tasks.map(({ label }) => label).sort());
  for (const { label, dataset_uri, icl_task_type } of icl_tasks) {
    const task = data.tasks.find(task => task.label === label)!;
    assert.equal(icl_task_type, task.type);
    const lines = (await readFile(join(folder, 'icl', dataset_uri), 'utf8')).trimEnd().split('\n');
    assert.deepEqual(
      lines.map(line => JSON.parse(line) as unknown),
      task.records,
    );
  }
});

test('equal options give equal bytes, and the manifest knows them', async () => {
  const again = join(root, 'again');
  assert.deepEqual(await buildWordnetStudyData(again, SMALL), manifest);
  const names = (await readdir(again, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(again.length + 1))
    .sort();
  assert.deepEqual(names, [...Object.keys(manifest.files), 'manifest.json'].sort());
  for (const [name, hash] of Object.entries(manifest.files))
    assert.equal(sha256(await readFile(join(again, name))), hash, name);
  assert.deepEqual(
    await readFile(join(again, 'manifest.json')),
    await readFile(join(folder, 'manifest.json')),
  );
});

test('what WordNet does not have, and what makes no sense, is refused', async () => {
  const refuses = (given: Parameters<typeof buildWordnetStudyData>[1], where: RegExp) =>
    assert.rejects(buildWordnetStudyData(join(root, 'never'), given), error => {
      assert.ok(error instanceof InputError);
      assert.match(error.problems.map(problem => problem.where).join(' '), where);
      return true;
    });
  await refuses(
    { queries: 0, iclItems: 6, pairs: 3, testShare: 1, seed: -1 },
    /^seed queries pairs iclItems testShare$/,
  );
  await refuses({ queries: Number.NaN }, /^queries$/);
  const two = new DocumentSet();
  for (const text of ['a', 'b', 'a']) two.add({ id: `id-${text}`, text });
  assert.throws(() => exactly(two, 1), /2 documents are relevant to a query, more than 1/);
  assert.throws(() => exactly(two, 3), /only 2 documents/);
  assert.equal(exactly(two, 2).length, 2);
  await assert.rejects(buildWordnetStudyData(folder, SMALL), /exists already/);
  assert.deepEqual((await readdir(root)).sort(), ['again', 'data']);
  assert.deepEqual(studyOptions({}), WORDNET_STUDY_DEFAULTS);
});

test('closed groups: disjoint, of one stratum, compatible', () => {
  const candidate = fc.record({ stratum: fc.constantFrom('n', 'v'), likeness: fc.nat(9), value: fc.nat(20) });
  fc.assert(
    fc.property(
      fc.array(candidate, { maxLength: 60 }),
      fc.integer({ min: 2, max: 4 }),
      fc.nat(),
      (items, size, seed) => {
        const apart = (a: { value: number }, b: { value: number }) => a.value !== b.value;
        const groups = closedGroups(items, size, apart, Rng.from(seed));
        const members = groups.flat();
        assert.equal(new Set(members).size, members.length);
        for (const group of groups) {
          assert.equal(group.length, size);
          assert.equal(new Set(group.map(({ stratum }) => stratum)).size, 1);
          assert.equal(new Set(group.map(({ value }) => value)).size, size);
        }
        const all = closedGroups(items, size, () => true, Rng.from(seed));
        const inStratum = (stratum: string) => items.filter(item => item.stratum === stratum).length;
        assert.equal(all.length, Math.floor(inStratum('n') / size) + Math.floor(inStratum('v') / size));
      },
    ),
  );
});

test('phrases are found wherever their words stand in a row, and only there', () => {
  const word = fc.constantFrom('a', 'b', 'c');
  const words = (least: number, most: number) => fc.array(word, { minLength: least, maxLength: most });
  fc.assert(
    fc.property(
      fc.array(words(4, 6), { maxLength: 20 }),
      fc.array(words(0, 30), { maxLength: 4 }),
      (phrases, texts) => {
        const found = phrasesWithin(
          phrases.map(p => p.join(' ')),
          texts.map(t => t.join(', ').toUpperCase()),
        );
        const expected = phrases
          .map(p => p.join(' '))
          .filter(p => texts.some(t => ` ${t.join(' ')} `.includes(` ${p} `)));
        assert.deepEqual([...found].sort(), [...new Set(expected)].sort());
      },
    ),
  );
  assert.throws(() => phrasesWithin(['too few words'], []), RangeError);
});
