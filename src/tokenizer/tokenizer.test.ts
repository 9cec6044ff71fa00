import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { Tokenizer as Native } from 'tokenizers';
import { InputError, Rng, sha256 } from '../base/index.ts';
import { ByteLevelEncoder } from './byte-level-encoder.ts';
import { byteLevelPlan } from './byte-level-plan.ts';
import { IntVector } from './int-vector.ts';
import { packBatches, packTexts } from './packed-texts.ts';
import { anyString, batchesOf, trainedJson, wellFormed } from './testing.ts';
import { Tokenizer } from './tokenizer.ts';
import { parseTokenizerJson } from './tokenizer-json.ts';

const license = await readFile(new URL('../../LICENSE', import.meta.url), 'utf8');
const json = await trainedJson([license, 'naïve café 日本語 日本 '.repeat(5)], 700);
const tokenizer = await Tokenizer.fromJson(json);
const native = Native.fromString(json);
const folder = await mkdtemp(join(tmpdir(), 'isoflop-tokenizer-'));
after(() => rm(folder, { recursive: true }));

type Editable = Record<string, unknown> & {
  added_tokens: Record<string, unknown>[];
  model: Record<string, unknown> & { vocab: Record<string, number> };
};

/** The trained file with something changed. */
function edited(change: (file: Editable) => void): string {
  const file = JSON.parse(json) as Editable;
  change(file);
  return JSON.stringify(file);
}

const idsOf = async (from: Native, text: string) =>
  (await from.encode(text, null, { addSpecialTokens: false })).getIds();

test('the package reads a trained file and gives the same ids', async () => {
  await fc.assert(
    fc.asyncProperty(anyString, async text => {
      assert.deepEqual([...(await tokenizer.encode(text))], await idsOf(native, wellFormed(text)));
    }),
    { numRuns: 1000 },
  );
  assert.deepEqual([...(await tokenizer.encode(license))], await idsOf(native, license));
});

test('the golden ids of the reference', async () => {
  const golden = JSON.parse(
    await readFile(new URL('../../tests/golden/bpe.golden.json', import.meta.url), 'utf8'),
  ) as { file: { vocabSize: number; encodings: { text: string; ids: number[] }[] } };
  const same = await Tokenizer.fromJson(await trainedJson([license], golden.file.vocabSize));
  for (const { text, ids } of golden.file.encodings) assert.deepEqual([...(await same.encode(text))], ids);
});

test('every text comes back, whatever Unicode it is', async () => {
  await fc.assert(
    fc.asyncProperty(anyString, async text => {
      assert.equal(await tokenizer.decode(await tokenizer.encode(text)), wellFormed(text));
    }),
    { numRuns: 500 },
  );
  assert.equal(await tokenizer.decode(await tokenizer.encode('e\u0301')), 'e\u0301'); // not brought to form C
});

test('long words are merged as short ones are', async () => {
  const rng = Rng.from(5, 'words');
  const plan = byteLevelPlan(parseTokenizerJson(json, 'x'))!;
  for (const length of [1, 2, 95, 96, 97, 300, 5000]) {
    const word = Array.from({ length }, () => 'theorcnsadiu'[rng.int(12)]).join('');
    const ids = new IntVector();
    new ByteLevelEncoder(plan).encode(Buffer.from(word), 0, length, ids);
    assert.deepEqual([...ids.view], await idsOf(native, word), `length ${length}`);
  }
});

test('a table of words that is full starts anew, with the same ids', () => {
  const plan = byteLevelPlan(parseTokenizerJson(json, 'x'))!;
  const bytes = Buffer.from(license);
  const [all, few] = [new IntVector(), new IntVector()];
  new ByteLevelEncoder(plan).encode(bytes, 0, bytes.length, all);
  new ByteLevelEncoder(plan, 50).encode(bytes, 0, bytes.length, few);
  assert.deepEqual(few.view, all.view);
});

test('a batch has flat ids and offsets, cut and ended as asked', async () => {
  const texts = ['a the the', '', 'a'];
  const [, the] = await tokenizer.encode('a the');
  const [a] = await tokenizer.encode('a');
  const parts = ({ ids, offsets }: { ids: Uint32Array; offsets: Uint32Array }) =>
    texts.map((_, i) => [...ids.subarray(offsets[i], offsets[i + 1])]);
  const eos = tokenizer.eosId;
  assert.equal(eos, 0);
  assert.equal(tokenizer.padId, 1);
  assert.deepEqual(parts(await tokenizer.encodeBatch(texts)), [[a, the, the], [], [a]]);
  assert.deepEqual(parts(await tokenizer.encodeBatch(texts, { maxTokens: 2 })), [[a, the], [], [a]]);
  assert.deepEqual(parts(await tokenizer.encodeBatch(texts, { maxTokens: 2, addEos: true })), [
    [a, eos],
    [eos],
    [a, eos],
  ]);
  assert.deepEqual(parts(await tokenizer.encodeBatch(texts, { maxTokens: 1, addEos: true })), [
    [eos],
    [eos],
    [eos],
  ]);
  await assert.rejects(tokenizer.encodeBatch(texts, { maxTokens: 0, addEos: true }), RangeError);
  assert.deepEqual([...(await tokenizer.encodeBatch([])).offsets], [0]);
});

test('a special token in a text is characters, and is still decoded as a token', async () => {
  const ids = await tokenizer.encode('a<|endoftext|>b');
  assert.ok(!ids.includes(tokenizer.eosId));
  assert.equal(await tokenizer.decode(ids), 'a<|endoftext|>b');
  assert.equal(await tokenizer.decode([...ids, 0, 1]), 'a<|endoftext|>b<|endoftext|><|padding|>');
  assert.equal(await tokenizer.decode([...ids, 0, 1], { skipSpecials: true }), 'a<|endoftext|>b');
});

test('names, sizes and the hash of the file', async () => {
  const path = join(folder, 'tokenizer.json');
  await writeFile(path, json);
  const read = await Tokenizer.fromFile(path);
  assert.equal(read.hash, sha256(json));
  assert.equal(read.json, json);
  assert.equal(read.vocabSize, 700);
  assert.equal(read.tokenToId('Ġthe'), native.tokenToId('Ġthe'));
  assert.equal(read.tokenToId('no such token'), undefined);
  assert.equal(read.idToToken(0), '<|endoftext|>');
  assert.equal(read.idToToken(7000), undefined);
});

test('a cut-off text has the first ids of the whole one, on both paths', async () => {
  const slow = await Tokenizer.fromJson(
    edited(file => Object.assign(file, { normalizer: { type: 'Lowercase' } })),
  );
  const texts = ['', 'short', license.slice(0, 3000).toLowerCase(), `${'x'.repeat(500)} y`];
  for (const model of [tokenizer, slow]) {
    const whole = await Promise.all(texts.map(text => model.encode(text)));
    for (const maxTokens of [1, 2, 7, 100, 1e9]) {
      const { ids, offsets } = await model.encodeBatch(texts, { maxTokens });
      for (const [i, expected] of whole.entries())
        assert.deepEqual(ids.subarray(offsets[i], offsets[i + 1]), expected.subarray(0, maxTokens));
    }
  }
});

/** Files that the fast path must not take, or takes with care; each must agree with the package. */
const foreign: Readonly<Record<string, (file: Editable) => void>> = {
  'a prefix blank': file => Object.assign(file['pre_tokenizer'] as object, { add_prefix_space: true }),
  'no pattern': file => Object.assign(file['pre_tokenizer'] as object, { use_regex: false }),
  'form C': file => Object.assign(file, { normalizer: { type: 'NFC' } }),
  'lower case': file => Object.assign(file, { normalizer: { type: 'Lowercase' } }),
  'added blanks': file => {
    for (const content of ['  ', '    '])
      file.added_tokens.push({ ...file.added_tokens[0], id: 700 + content.length, content, special: false });
  },
  'merges as pairs': file => {
    file.model['merges'] = (file.model['merges'] as string[]).map(merge => merge.split(' '));
  },
  'whole words first': file => Object.assign(file.model, { ignore_merges: true }),
  'another pre-tokenizer': file => Object.assign(file, { pre_tokenizer: { type: 'Whitespace' } }),
};

for (const [name, change] of Object.entries(foreign)) {
  test(`a foreign file gives the ids of the package: ${name}`, async () => {
    const text = edited(change);
    const [ours, theirs] = [await Tokenizer.fromJson(text), Native.fromString(text)];
    const samples = fc.sample(anyString, { numRuns: 150, seed: 3 }).map(wellFormed);
    const texts = [...samples, license, 'a  b    c', '', 'e\u0301 \u1100\u1161 \u212b'];
    const { ids, offsets } = await ours.encodeBatch(texts);
    for (const [i, sample] of texts.entries())
      assert.deepEqual(
        [...ids.subarray(offsets[i], offsets[i + 1])],
        await idsOf(theirs, sample),
        JSON.stringify(sample),
      );
  });
}

test('vocabularies of other kinds are read', async () => {
  const wordLevel = await Tokenizer.fromJson(
    JSON.stringify({
      version: '1.0',
      added_tokens: [],
      pre_tokenizer: { type: 'Whitespace' },
      model: { type: 'WordLevel', vocab: { '[UNK]': 0, hello: 1, '[SEP]': 5 }, unk_token: '[UNK]' },
    }),
  );
  assert.equal(wordLevel.vocabSize, 6);
  assert.equal(wordLevel.eosId, 5);
  assert.equal(wordLevel.padId, 5);
  assert.equal(wordLevel.hasEos, true);
  assert.deepEqual([...(await wordLevel.encode('hello you', { addEos: true }))], [1, 0, 5]);
  const unigram = await Tokenizer.fromJson(
    JSON.stringify({
      version: '1.0',
      model: {
        type: 'Unigram',
        unk_id: 0,
        vocab: [
          ['<unk>', 0],
          ['a', -1],
          ['b', -2],
        ],
      },
    }),
  );
  assert.equal(unigram.vocabSize, 3);
  assert.deepEqual([...(await unigram.encode('ab'))], [1, 2]);
  assert.equal(unigram.hasEos, false);
  assert.throws(() => unigram.eosId, /no end-of-text token of a usual name/);
});

test('a text that a foreign file has no token for is refused', async () => {
  const file = { version: '1.0', model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: '[UNK]' } };
  const model = await Tokenizer.fromJson(JSON.stringify(file), 'w.json');
  await assert.rejects(model.encode('b'), /w\.json: cannot encode a text: .*[UNK]/);
});

test('broken files are refused by name', async () => {
  const refused = (text: string, pattern: RegExp) =>
    assert.rejects(Tokenizer.fromJson(text, 'x.json'), pattern);
  await refused('{', /x\.json: not valid JSON/);
  await refused('[]', /x\.json: not a tokenizer\.json/);
  await refused('{"model": {"vocab": {"a": -1}}}', /x\.json: not a tokenizer\.json: model\.vocab: expected/);
  await refused('{"model": {"vocab": {"a": 0, "b": 0}}}', /different/);
  await refused(
    '{"model": {"type": "Nonsense", "vocab": {"a": 0}}}',
    /x\.json: not a tokenizer\.json that can be read/,
  );
  await refused(
    edited(file => delete file.model.vocab['th']),
    /x\.json: not a tokenizer/,
  );
  await assert.rejects(
    Tokenizer.fromJson(json, 'x.json', { eosToken: '</s>' }),
    /x\.json: has no token "<\/s>"/,
  );
  await assert.rejects(Tokenizer.fromFile(join(folder, 'absent.json')), /absent\.json: no such file/);
});

test('a damaged file is read or refused, and nothing else', async () => {
  const small = await trainedJson(['aaa abab aab'], 262);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(small.length - 1),
      fc.constantFrom('', '0', '-', '"', '}', 'null,', '9e99'),
      async (at, by) => {
        const damaged = small.slice(0, at) + by + small.slice(at + 1);
        const read = await Tokenizer.fromJson(damaged).catch((error: unknown) => error);
        assert.ok(read instanceof Tokenizer || read instanceof InputError, String(read));
        if (read instanceof Tokenizer) await read.encode('aab ab');
      },
    ),
    { numRuns: 300 },
  );
});

test('texts are packed whole, in batches that do not depend on how they came', async () => {
  const texts = fc.sample(anyString, { numRuns: 200, seed: 1 });
  const { bytes, ends } = packTexts(texts);
  const unpacked = texts.map((_, i) =>
    Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1], ends[i])).toString(),
  );
  assert.deepEqual(unpacked, texts.map(wellFormed));
  const sizes = async (...batches: string[][]) => {
    const found: number[] = [];
    for await (const batch of packBatches(batchesOf(...batches), 100)) found.push(batch.ends.length);
    return found;
  };
  assert.deepEqual(await sizes(texts), await sizes(texts.slice(0, 3), [], texts.slice(3)));
});

const data = process.env['ISOFLOP_DATA'];
test('GPT-NeoX on real text', { skip: data === undefined && 'ISOFLOP_DATA is not set' }, async () => {
  const path = join(data!, 'tokenizers', 'gpt-neox-20b.tokenizer.json');
  const [ours, theirs] = [await Tokenizer.fromFile(path), Native.fromFile(path)];
  assert.equal(ours.vocabSize, 50277);
  const samples = fc.sample(anyString, { numRuns: 300, seed: 3 }).map(wellFormed);
  const { ids, offsets } = await ours.encodeBatch([...samples, license]);
  for (const [i, sample] of [...samples, license].entries())
    assert.deepEqual([...ids.subarray(offsets[i], offsets[i + 1])], await idsOf(theirs, sample));
});
