/** Model directories in the Hugging Face layout: what is written is read again, and what does not fit is refused by name. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InternalError } from '../../base/index.ts';
import { elementCount, type Tensor, tensor } from '../../graph/index.ts';
import { type MptConfig, mptConfig, mptParameters } from '../mpt/index.ts';
import {
  MptDirectory,
  type MptExportOptions,
  readMptDirectory,
  readSafetensors,
  writeMptDirectory,
  writeSafetensors,
} from './index.ts';
import { problemsOf } from './testing/problems.ts';
import { alibi, learned, SHAPE } from './testing/tiny.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-mpt-'));
after(() => rm(root, { recursive: true }));
let made = 0;
const newFolder = () => join(root, `m${made++}`);

/** Numbers that halves hold exactly. */
function weightsOf(config: MptConfig): Map<string, Tensor> {
  return new Map(
    mptParameters(config).map(({ name, shape }, k) => {
      const numbers = Array.from({ length: elementCount(shape) }, (_, i) => ((i * 5 + k) % 33) / 16 - 1);
      return [name, tensor('float32', shape, numbers)];
    }),
  );
}

async function written(config: MptConfig, options?: MptExportOptions): Promise<string> {
  const folder = newFolder();
  await writeMptDirectory(folder, config, weightsOf(config), options);
  return folder;
}

const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;

for (const [name, config] of Object.entries({ alibi, learned })) {
  for (const weightType of ['F32', 'F16', 'BF16'] as const) {
    test(`${name}, ${weightType}: a directory gives back what was written, and writing that again gives the same bytes`, async () => {
      const first = await written(config, { weightType });
      const model = await readMptDirectory(first);
      assert.deepEqual(model.config, config);
      assert.deepEqual(model.weights, weightsOf(config));
      assert.equal('tokenizerPath' in model, false);
      const second = newFolder();
      await writeMptDirectory(second, model.config, model.weights, { weightType });
      for (const file of ['model.safetensors', 'config.json'])
        assert.deepEqual(await readFile(join(second, file)), await readFile(join(first, file)));
    });
  }
}

test('an open directory is a source of weights, one at a time', async () => {
  const directory = await MptDirectory.open(await written(learned, { maxShardBytes: 1000 }));
  const copy = newFolder();
  await writeMptDirectory(copy, directory.config, directory);
  await directory.close();
  assert.deepEqual((await readMptDirectory(copy)).weights, weightsOf(learned));
});

test('shards stay below the limit where they can, and the index names every tensor', async () => {
  const folder = await written(alibi, { maxShardBytes: 1100 });
  const files = (await readdir(folder)).filter(file => file.endsWith('.safetensors'));
  const index = await readJson(join(folder, 'model.safetensors.index.json'));
  const map = index['weight_map'] as Record<string, string>;
  assert.ok(files.length > 3 && files.includes(`model-00001-of-0000${files.length}.safetensors`));
  assert.deepEqual([...new Set(Object.values(map))].sort(), files.sort());
  assert.deepEqual(Object.keys(map), [...weightsOf(alibi).keys()]);
  const bytes = [...weightsOf(alibi).values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  assert.deepEqual(index['metadata'], { total_parameters: bytes / 4, total_size: bytes });
  for (const file of files) {
    const { tensors } = await readSafetensors(join(folder, file));
    const total = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    assert.ok(tensors.size === 1 || total <= 1100);
  }
  assert.deepEqual((await readMptDirectory(folder)).weights, weightsOf(alibi));
});

test('writing over another model leaves nothing of it', async () => {
  const folder = await written(alibi, { maxShardBytes: 1000 });
  await writeMptDirectory(folder, learned, weightsOf(learned));
  assert.deepEqual((await readdir(folder)).sort(), ['config.json', 'model.safetensors']);
  await writeMptDirectory(folder, alibi, weightsOf(alibi), { maxShardBytes: 1000 });
  assert.equal((await readdir(folder)).includes('model.safetensors'), false);
  assert.deepEqual((await readMptDirectory(folder)).config, alibi);
});

test('a directory whose writing failed has no config.json and cannot be mistaken for a model', async () => {
  const folder = await written(alibi);
  const read = (name: string): Tensor => {
    if (name.includes('norm_f')) throw new Error('disk failure');
    return weightsOf(alibi).get(name)!;
  };
  await assert.rejects(writeMptDirectory(folder, alibi, { read }), /disk failure/);
  assert.deepEqual(await readdir(folder), []);
  assert.match((await problemsOf(readMptDirectory(folder))).join(), /config\.json: no such file/);
});

test('weights that do not fit the configuration are refused while the earlier model still stands', async () => {
  const folder = await written(alibi);
  const incomplete = weightsOf(alibi);
  incomplete.delete('transformer.norm_f.weight');
  await assert.rejects(writeMptDirectory(folder, alibi, incomplete), InternalError);
  await assert.rejects(
    writeMptDirectory(folder, { ...alibi, vocabSize: 12 }, weightsOf(alibi)),
    InternalError,
  );
  assert.deepEqual((await readMptDirectory(folder)).weights, weightsOf(alibi));
});

test('only what Transformers can compute is written for it, the rest is refused with every reason or marked', async () => {
  const folder = newFolder();
  const odd = mptConfig({ ...SHAPE, positions: 'learned', bias: true, expansion: 2 });
  const problems = await problemsOf(
    writeMptDirectory(folder, odd, weightsOf(odd), { forTransformers: true }),
  );
  assert.equal(problems.length, 3);
  assert.match(
    problems.join('\n'),
    /no learned positions[\s\S]*no biases[\s\S]*expansion of 4 only, this model has 2/,
  );
  await writeMptDirectory(folder, learned, weightsOf(learned));
  const config = await readJson(join(folder, 'config.json'));
  assert.deepEqual(config['architectures'], ['MPTForCausalLM']);
  assert.equal((config['isoflop'] as { form: string }).form, 'llm-foundry');
  const plain = await readJson(join(await written(alibi), 'config.json'));
  assert.deepEqual(plain['architectures'], ['MptForCausalLM']);
  assert.equal('isoflop' in plain, false);
});

/** A directory whose weights are given name by name. */
async function directoryOf(
  tensors: ReadonlyMap<string, Tensor>,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const folder = await written(alibi);
  const config = { ...(await readJson(join(folder, 'config.json'))), ...changes };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeSafetensors(join(folder, 'model.safetensors'), tensors);
  return folder;
}

test('names without the prefix, as the base model saves them, are the same model', async () => {
  const bare = Array.from(
    weightsOf(alibi),
    ([name, value]) => [name.replace('transformer.', ''), value] as const,
  );
  assert.deepEqual((await readMptDirectory(await directoryOf(new Map(bare)))).weights, weightsOf(alibi));
});

test('missing, surplus, misshapen and integer tensors are all named at once', async () => {
  const weights = weightsOf(alibi);
  weights.delete('transformer.blocks.1.norm_2.weight');
  weights.set('transformer.wte.weight', tensor('float32', [3, 8], new Array(24).fill(0)));
  weights.set('transformer.norm_f.weight', tensor('int32', [8], new Array(8).fill(1)));
  weights.set('transformer.norm_f.bias', tensor('float32', [8], new Array(8).fill(0)));
  weights.set('wte.weight', tensor('float32', [1], [0]));
  const problems = await problemsOf(readMptDirectory(await directoryOf(weights)));
  assert.equal(problems.length, 5, problems.join('\n'));
  assert.match(problems.join('\n'), /"transformer\.blocks\.1\.norm_2\.weight" is missing/);
  assert.match(problems.join('\n'), /"transformer\.wte\.weight" is \[3,8\], config\.json makes it \[11,8\]/);
  assert.match(
    problems.join('\n'),
    /"transformer\.norm_f\.weight" is I32, expected weights in F32, F16, BF16/,
  );
  assert.match(problems.join('\n'), /"transformer\.norm_f\.bias" is none of the model's/);
  assert.match(problems.join('\n'), /"wte\.weight" is none of the model's/);
});

test('an output head of its own is accepted where it equals the embedding, and only there', async () => {
  const weights = weightsOf(alibi);
  const table = weights.get('transformer.wte.weight')!;
  const untied = { tie_word_embeddings: false };
  const missing = await problemsOf(readMptDirectory(await directoryOf(weights, untied)));
  assert.match(missing.join(), /"lm_head\.weight" is missing: config\.json says the head is not tied/);
  const equal = new Map([...weights, ['lm_head.weight', table]]);
  assert.deepEqual((await readMptDirectory(await directoryOf(equal, untied))).weights, weights);
  const other = { ...table, data: Float32Array.from(table.data as Float32Array, x => x + 1) };
  for (const changes of [untied, {}]) {
    const different = await directoryOf(new Map([...weights, ['lm_head.weight', other]]), changes);
    assert.match(
      (await problemsOf(readMptDirectory(different))).join(),
      /"lm_head\.weight" differs.*tied output head only/,
    );
  }
});

test('a weight that is no number is refused by name', async () => {
  const weights = weightsOf(alibi);
  (weights.get('transformer.blocks.0.ffn.up_proj.weight')!.data as Float32Array)[5] = Number.NaN;
  const problems = await problemsOf(readMptDirectory(await directoryOf(weights)));
  assert.match(problems.join(), /"transformer\.blocks\.0\.ffn\.up_proj\.weight": element 5 is NaN/);
});

const INDEX = 'model.safetensors.index.json';

async function shardedWith(change: (map: Record<string, unknown>) => unknown): Promise<string> {
  const folder = await written(alibi, { maxShardBytes: 1100 });
  const index = await readJson(join(folder, INDEX));
  const map = change(index['weight_map'] as Record<string, unknown>);
  await writeFile(join(folder, INDEX), JSON.stringify({ ...index, weight_map: map }));
  return folder;
}

test('shard names that leave the folder are refused, whatever lies there', async () => {
  for (const name of [
    '../m0/model.safetensors',
    '/etc/passwd',
    'a/b.safetensors',
    'a\\b.safetensors',
    '..',
    '',
    3,
    'x\0.safetensors',
    'x.bin',
  ]) {
    const folder = await shardedWith(map => ({ ...map, 'transformer.wte.weight': name }));
    assert.match(
      (await problemsOf(readMptDirectory(folder))).join(),
      /expected the name of a \.safetensors file of the same folder/,
    );
  }
  for (const map of [undefined, [], 'x']) {
    const folder = await shardedWith(() => map);
    assert.match((await problemsOf(readMptDirectory(folder))).join(), /has no weight_map/);
  }
});

test('missing shards and tensors that index and shards disagree about are all named', async () => {
  const folder = await shardedWith(({ 'transformer.norm_f.weight': _, ...map }) => ({
    ...map,
    'transformer.extra': 'model-00002-of-00007.safetensors',
  }));
  const shards = (await readdir(folder)).filter(file => file.endsWith('.safetensors')).sort();
  assert.equal(shards.length, 7);
  await rm(join(folder, shards[3]!));
  const problems = (await problemsOf(readMptDirectory(folder))).join('\n');
  assert.match(problems, /index\.json: shard model-00004-of-00007\.safetensors is missing/);
  assert.match(
    problems,
    /00002-of-00007\.safetensors: has no tensor "transformer\.extra", which the index says/,
  );
  assert.match(problems, /holds tensor "transformer\.norm_f\.weight", which the index does not say/);
});

test('a truncated shard, a directory without weights and pickled weights say what to do', async () => {
  const folder = await written(alibi, { maxShardBytes: 1100 });
  const shard = join(folder, 'model-00002-of-00007.safetensors');
  await writeFile(shard, (await readFile(shard)).subarray(0, 300));
  assert.match(
    (await problemsOf(readMptDirectory(folder))).join(),
    /00002-of-00007\.safetensors: .*fetch it again/,
  );
  const pickled = await written(alibi);
  await rename(join(pickled, 'model.safetensors'), join(pickled, 'pytorch_model.bin'));
  assert.match(
    (await problemsOf(readMptDirectory(pickled))).join(),
    /neither model\.safetensors nor .*as safetensors/,
  );
  assert.match((await problemsOf(readMptDirectory(join(root, 'nowhere')))).join(), /nowhere.*no such file/);
});

const TOKENIZER = {
  added_tokens: [
    { id: 0, content: '<|endoftext|>', special: true },
    { id: 1, content: '<|pad|>', special: true },
  ],
  model: { type: 'BPE', vocab: { '<|endoftext|>': 0, '<|pad|>': 1, a: 2 }, merges: [] },
};

test('a tokenizer is copied with its special tokens, and found again', async () => {
  const path = join(root, 'source-tokenizer.json');
  await writeFile(path, JSON.stringify(TOKENIZER));
  const specialTokens = { eos: '<|endoftext|>', pad: '<|pad|>', unk: '<|pad|>' };
  const folder = await written(alibi, { tokenizer: { path, specialTokens } });
  assert.equal((await readMptDirectory(folder)).tokenizerPath, join(folder, 'tokenizer.json'));
  assert.deepEqual(await readFile(join(folder, 'tokenizer.json')), await readFile(path));
  assert.deepEqual(await readJson(join(folder, 'tokenizer_config.json')), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: 6,
    clean_up_tokenization_spaces: false,
    ...{ eos_token: '<|endoftext|>', pad_token: '<|pad|>', unk_token: '<|pad|>' },
  });
  const config = await readJson(join(folder, 'config.json'));
  assert.deepEqual(
    [config['eos_token_id'], config['pad_token_id'], config['unk_token_id']],
    [0, 1, undefined],
  );
});

test('a tokenizer that does not fit the model is refused while the earlier model still stands', async () => {
  const path = join(root, 'bad-tokenizer.json');
  const folder = await written(alibi);
  const write = () =>
    writeMptDirectory(folder, alibi, weightsOf(alibi), {
      tokenizer: { path, specialTokens: { eos: '</s>' } },
    });
  await writeFile(
    path,
    JSON.stringify({ ...TOKENIZER, model: { vocab: { ...TOKENIZER.model.vocab, z: 11 } } }),
  );
  assert.match(
    (await problemsOf(write())).join('\n'),
    /token "z" has id 11, the model has a vocabulary of 11 only[\s\S]*no added token "<\/s>" for eos/,
  );
  await writeFile(path, '{}');
  assert.match((await problemsOf(write())).join(), /has no added_tokens/);
  assert.deepEqual((await readdir(folder)).sort(), ['config.json', 'model.safetensors']);
});

test('copies of a directory are models too, with files they do not know beside them', async () => {
  const copy = newFolder();
  await cp(await written(learned), copy, { recursive: true });
  await writeFile(join(copy, 'README.md'), '# a model');
  assert.deepEqual((await readMptDirectory(copy)).weights, weightsOf(learned));
});
