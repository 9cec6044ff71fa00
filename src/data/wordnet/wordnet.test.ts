import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from '../../base/index.ts';
import type { DocumentBatch } from '../text/source.ts';
import { parseGloss } from './parse.ts';
import { wordnetSource } from './source.ts';
import { POINTER_TYPES, type Synset } from './synset.ts';
import { synsetText, wordnetDocuments } from './text.ts';
import { loadWordNet, readWordNet, WordNet, wordnetLicence } from './wordnet.ts';

const wordnet = await loadWordNet();
const folder = await mkdtemp(join(tmpdir(), 'isoflop-wordnet-'));
after(() => rm(folder, { recursive: true }));

/** The synset of a kind that has this first lemma and these words in its definition. */
function find(lemma: string, words: string): Synset {
  const found = wordnet.synsets.find(s => s.lemmas.includes(lemma) && s.definition.includes(words));
  assert.ok(found, `${lemma}: ${words}`);
  return found;
}

const names = (synsets: readonly Synset[]) => synsets.map(synset => synset.lemmas[0]);

interface Golden {
  readonly synsets: Readonly<Record<string, number>>;
  readonly lemmas: number;
  readonly quotations: number;
  readonly pointers: Readonly<Record<string, number>>;
  readonly sha256: string;
}

/** A synset's structure as bench/peers/wordnet_nltk.py writes it. */
function record({
  id,
  lemmas,
  pointers,
}: Synset): [string, readonly string[], string[][], (string | number)[][]] {
  const symbols = Object.fromEntries(Object.entries(POINTER_TYPES).map(([symbol, type]) => [type, symbol]));
  const whole = new Set<string>();
  const words: (string | number)[][] = [];
  for (const { type, target, from, to } of pointers) {
    if (from === undefined || to === undefined) whole.add(JSON.stringify([symbols[type]!, target]));
    else words.push([symbols[type]!, lemmas[from]!, target, to]);
  }
  const sorted = <T extends (string | number)[]>(lists: T[]) => lists.sort(compareLists);
  return [id, lemmas, sorted([...whole].map(text => JSON.parse(text) as string[])), sorted(words)];
}

function compareLists(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const at = a.findIndex((item, i) => item !== b[i]);
  return at < 0 ? 0 : a[at]! < b[at]! ? -1 : 1;
}

test('synsets, words and pointers are those that NLTK reads', async () => {
  const path = new URL('../../../tests/golden/wordnet.golden.json', import.meta.url);
  const golden = JSON.parse(await readFile(path, 'utf8')) as Golden;
  const hash = createHash('sha256');
  const [synsets, pointers]: [Record<string, number>, Record<string, number>] = [{}, {}];
  let lemmas = 0;
  for (const synset of wordnet.synsets) {
    const fields = record(synset);
    hash.update(`${JSON.stringify(fields)}\n`);
    synsets[synset.pos] = (synsets[synset.pos] ?? 0) + 1;
    lemmas += synset.lemmas.length;
    for (const [symbol] of [...fields[2], ...fields[3]]) pointers[symbol!] = (pointers[symbol!] ?? 0) + 1;
  }
  assert.deepEqual({ synsets, lemmas }, { synsets: golden.synsets, lemmas: golden.lemmas });
  assert.deepEqual(pointers, golden.pointers);
  assert.equal(hash.digest('hex'), golden.sha256);
  // All but 19 of the quotations are examples; those explain a word or are quoted words inside a definition.
  const examples = wordnet.synsets.reduce((sum, synset) => sum + synset.examples.length, 0);
  assert.equal(golden.quotations - examples, 19);
  assert.ok(wordnet.synsets.every(synset => synset.definition !== ''));
});

test('a gloss is divided into a definition and examples', () => {
  const parts = (gloss: string) => Object.values(parseGloss(gloss));
  assert.deepEqual(parts(' a; b; "c; d"; "e"- Henry Miller  '), ['a; b', ['c; d', 'e']]);
  assert.deepEqual(parts('arrive: "He rolled up"'), ['arrive', ['He rolled up']]);
  assert.deepEqual(parts('pad; "scribbling block" is British; "a block"'), [
    'pad; "scribbling block" is British',
    ['a block'],
  ]);
  assert.deepEqual(parts('x; "one!" "two"; (`y\' is archaic)'), ["x; (`y' is archaic)", ['one!', 'two']]);
  assert.deepEqual(parts('demand in the phrase "the call of duty"'), [
    'demand in the phrase "the call of duty"',
    [],
  ]);
  assert.deepEqual(parts('x; "never closed; here'), ['x', ['never closed; here']]);
});

test('a synset has its topic, its kind and clean lemmas', () => {
  const dog = find('dog', 'genus Canis');
  assert.equal(dog.lexname, 'noun.animal');
  assert.equal(dog.pos, 'n');
  assert.deepEqual(dog.lemmas, ['dog', 'domestic dog', 'Canis familiaris']);
  assert.deepEqual(dog.examples, ['the dog barked all night']);
  const speedy = find('speedy', 'accomplished rapidly');
  assert.deepEqual([speedy.pos, speedy.satellite], ['a', true]);
  assert.ok(wordnet.synsets.every(({ lemmas }) => lemmas.every(lemma => !/_|\((a|p|ip)\)$/.test(lemma))));
});

test('relations lead both ways', () => {
  const dog = find('dog', 'genus Canis');
  assert.deepEqual(names(wordnet.hypernyms(dog)), ['canine', 'domestic animal']);
  assert.ok(names(wordnet.hyponyms(dog)).includes('poodle'));
  const siblings = wordnet.siblings(dog);
  assert.ok(names(siblings).includes('wolf') && names(siblings).includes('domestic cat'));
  assert.ok(!siblings.includes(dog) && new Set(siblings).size === siblings.length);
  assert.deepEqual(names(wordnet.hypernyms(find('Einstein', 'physicist'))), ['physicist']);
  assert.ok(names(wordnet.related(find('good', 'desirable or positive'), 'antonym')).includes('bad'));
  for (const synset of wordnet.synsets)
    for (const hypernym of wordnet.hypernyms(synset)) assert.ok(wordnet.hyponyms(hypernym).includes(synset));
});

test('one document a synset, without those left out', () => {
  const dog = find('dog', 'genus Canis');
  assert.match(
    synsetText(dog),
    /^dog, domestic dog, Canis familiaris : a member .* breeds ; the dog barked all night$/,
  );
  const all = wordnetDocuments(wordnet);
  const some = wordnetDocuments(wordnet, synset => synset !== dog);
  assert.equal(all.length, 117_791);
  assert.deepEqual(
    some,
    all.filter(text => text !== synsetText(dog)),
  );
});

test('the embedded corpus is a source of text whose hash follows its documents', async () => {
  const nouns = await wordnetSource(synset => synset.pos === 'r');
  const batches: DocumentBatch[] = [];
  let read = 0;
  for await (const batch of nouns.documents({
    onRead: bytes => {
      read = bytes;
    },
  }))
    batches.push(batch);
  assert.equal(batches.flatMap(batch => batch.texts).length, 3625);
  assert.equal(read, nouns.bytes);
  assert.equal(await nouns.hash(), await (await wordnetSource(synset => synset.pos === 'r')).hash());
  assert.notEqual(await nouns.hash(), await (await wordnetSource(synset => synset.pos === 'v')).hash());
});

test('the licence can be shown', async () => {
  assert.match(await wordnetLicence(), /Princeton University/);
});

test('broken files are refused with every bad line', async () => {
  const good = '00000001 03 n 01 entity 0 000 | all there is  ';
  const write = async (lines: readonly string[]) => {
    for (const pos of ['verb', 'adj', 'adv']) await writeFile(join(folder, `data.${pos}`), '');
    await writeFile(join(folder, 'data.noun'), `  1 licence\n${lines.join('\n')}\n`);
    return readWordNet(folder);
  };
  assert.equal((await write([good])).synsets[0]!.definition, 'all there is');
  const bad = {
    '00000002 03 n 01 entity 0 000': /expected a gloss/,
    '2 03 n 01 entity 0 000 | x': /offset of 8 digits/,
    '00000002 99 n 01 entity 0 000 | x': /lexicographer file/,
    '00000002 03 v 01 entity 0 000 | x': /type 'n', found 'v'/,
    '00000002 03 n 00 000 | x': /at least one word/,
    '00000002 03 n ff entity 0 000 | x': /ends too early/,
    '00000002 03 n 01 entity 0 001 ?? 00000001 n 0000 | x': /unknown pointer/,
    '00000002 03 n 01 entity 0 001 @ 00000001 n 00 | x': /word numbers/,
    '00000002 03 n 01 entity 0 00x | x': /number of base 10/,
    '00000002 03 n 01 entity 0 001 @ 00000001 q 0000 | x': /part of speech/,
  };
  const error = await write([good, ...Object.keys(bad)]).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof InputError);
  for (const [i, pattern] of Object.values(bad).entries()) {
    assert.match(error.problems[i]!.message, pattern);
    assert.match(error.problems[i]!.where, new RegExp(`data\\.noun:${i + 3}$`));
  }
  await assert.rejects(
    write([good, '00000002 03 n 01 a 0 001 @ 00000009 n 0000 | x']),
    /00000009-n, which is not there/,
  );
  await assert.rejects(write([good, good]), /same id/);
  await assert.rejects(readWordNet(join(folder, 'absent')), /no such file/);
  assert.throws(() => new WordNet([wordnet.synsets[0]!]), RangeError);
});
