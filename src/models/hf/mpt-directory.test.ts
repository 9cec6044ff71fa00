import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { InputError, InternalError } from '../../base/index.ts';
import { elementCount, type Tensor, tensor } from '../../graph/index.ts';
import { LEARNED_FLAVOUR, type MptConfig, mptConfig, mptParameters } from '../mpt/index.ts';
import {
  MptDirectory,
  type MptExportOptions,
  parseMptConfig,
  readMptConfig,
  readMptDirectory,
  readSafetensors,
  writeMptDirectory,
  writeSafetensors,
} from './index.ts';

const root = await mkdtemp(join(tmpdir(), 'isoflop-mpt-'));
after(() => rm(root, { recursive: true }));
let made = 0;
const newFolder = () => join(root, `m${made++}`);

const SHAPE = { dModel: 8, heads: 2, layers: 2, vocabSize: 11, maxLength: 6 };
const alibi = mptConfig(SHAPE);
const learned = mptConfig({ ...SHAPE, ...LEARNED_FLAVOUR });

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

async function problemsOf(work: Promise<unknown>): Promise<string[]> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.problems.map(({ where, message }) => `${where}: ${message}`);
  }
  return [];
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

const FULL = {
  architectures: ['MPTForCausalLM'],
  model_type: 'mpt',
  ...{ d_model: 8, n_heads: 2, n_layers: 2, vocab_size: 11, max_seq_len: 6 },
};

test('each writer has defaults of its own for keys that are missing', () => {
  assert.deepEqual(parseMptConfig(FULL, 'c').config, learned);
  assert.deepEqual(parseMptConfig({ ...FULL, architectures: ['MptForCausalLM'] }, 'c').config, alibi);
  assert.deepEqual(
    parseMptConfig({ ...FULL, architectures: ['MptModel'], learned_pos_emb: true }, 'c').config,
    alibi,
  );
  const told = { attn_config: { alibi: true }, no_bias: true };
  assert.deepEqual(parseMptConfig({ ...FULL, ...told, architectures: undefined }, 'c').config, alibi);
  const released = parseMptConfig({ ...FULL, ...told, learned_pos_emb: true, norm_eps: 1e-6 }, 'c').config;
  assert.deepEqual(released, { ...alibi, layerNormEpsilon: 1e-6 });
  assert.throws(
    () => parseMptConfig({ ...FULL, architectures: null }, 'c'),
    /attn_config\.alibi is missing[\s\S]*no_bias is missing/,
  );
});

test('every setting that would make it another model is refused by name with the reason, all at once', () => {
  const attention = {
    ...{
      attn_type: 'grouped_query_attention',
      kv_n_heads: 1,
      kv_dim: 4,
      fused_qkv: false,
      clip_qkv: 6,
      qk_ln: true,
    },
    ...{ qk_gn: true, softmax_scale: 0.1, attn_logit_softcapping: 30, sliding_window_size: 128, rope: true },
    ...{ prefix_lm: true, flex_attn_mod_list: [{}] },
  };
  const others = {
    ffn_config: { ffn_type: 'mptglu', ffn_hidden_size: 7, ffn_act_fn: { name: 'relu' } },
    ...{ norm_type: 'rmsnorm', logit_scale: 2, final_logit_softcapping: 1, residual_modification: 'layer' },
    ...{ block_overrides: {}, quantization_config: { bits: 4 } },
  };
  try {
    parseMptConfig({ ...FULL, attn_config: attention, ...others }, 'config.json');
    assert.fail('accepted');
  } catch (error) {
    assert.ok(error instanceof InputError);
    const keys = [...Object.keys(attention).map(key => `attn_config.${key}`)];
    keys.push('ffn_config.ffn_type', 'ffn_config.ffn_hidden_size', 'ffn_config.ffn_act_fn');
    keys.push(...Object.keys(others).filter(key => key !== 'ffn_config'));
    assert.equal(error.problems.length, keys.length);
    for (const key of keys)
      assert.ok(
        error.problems.some(({ message }) => message.startsWith(`${key} is `)),
        key,
      );
    assert.match(
      error.message,
      /config\.json: attn_config\.clip_qkv is 6: that model clips queries, keys and values, isoflop's MPT does not \(expected null\)/,
    );
  }
  const harmless = {
    attn_config: {
      alibi: true,
      kv_n_heads: 2,
      sliding_window_size: -1,
      qk_ln: null,
      attn_pdrop: 0.1,
      rope_theta: 10,
    },
    ffn_config: { ffn_type: 'mptmlp', ffn_act_fn: { name: 'gelu', approximate: 'none' } },
    ...{ emb_pdrop: 0.1, init_config: {}, fc_type: { name: 'torch' }, use_cache: false },
  };
  assert.equal(parseMptConfig({ ...FULL, ...harmless }, 'c').config.positions, 'alibi');
});

test('sizes that are missing, of the wrong type or impossible are refused, all at once', () => {
  const cases: [object, RegExp, number][] = [
    [{ n_heads: 3 }, /3 heads do not divide a width of 8/, 1],
    [
      { d_model: undefined, n_heads: '2', vocab_size: null },
      /d_model is missing[\s\S]*n_heads is "2", expected a number[\s\S]*vocab_size is null/,
      3,
    ],
    [{ n_layers: 0, max_seq_len: 1.5 }, /layers is 0[\s\S]*maxLength is 1\.5/, 2],
    [{ n_layers: 1e9 }, /layers is 1000000000, expected a whole number from 1 to 10000/, 1],
    [{ expansion_ratio: 2.5, layer_norm_epsilon: 0 }, /expansion is 2\.5[\s\S]*layerNormEpsilon is 0/, 2],
    [
      { attn_config: 'x', no_bias: 'yes' },
      /attn_config is "x", expected an object[\s\S]*no_bias is "yes"/,
      2,
    ],
    [{ learned_pos_emb: false }, /no MPT without positions/, 1],
    [
      { architectures: ['MptForCausalLM'], attn_config: { alibi: false, alibi_bias_max: 4 } },
      /computes as if it were true[\s\S]*as if it were 8/,
      2,
    ],
    [{ model_type: 'llama' }, /model_type is "llama", expected "mpt"/, 1],
    [{ n_heads: 3, logit_scale: 2 }, /logit_scale[\s\S]*3 heads/, 2],
  ];
  for (const [changes, expected, count] of cases) {
    try {
      parseMptConfig({ ...FULL, ...changes }, 'c');
      assert.fail(`accepted ${JSON.stringify(changes)}`);
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, expected);
      assert.equal(error.problems.length, count, error.message);
    }
  }
});

test('a config.json that is no JSON object or names a key twice is refused', async () => {
  const path = join(root, 'config.json');
  for (const [text, expected] of [
    ['[]', /expected a JSON object/],
    ['{', /not valid JSON/],
    ['{"model_type":"mpt","d_model":8,"d_model":16}', /names "d_model" twice/],
  ] as const) {
    await writeFile(path, text);
    assert.match((await problemsOf(readMptConfig(path))).join(), expected);
  }
});

test('fuzz: any configuration is read or refused', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(true, false, null, 8, 2, 'MptForCausalLM', ['MPTForCausalLM'], { alibi: true }),
  );
  const keys = [
    ...Object.keys(FULL),
    'attn_config',
    'ffn_config',
    'no_bias',
    'norm_type',
    'tie_word_embeddings',
    'expansion_ratio',
  ];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), value), changes => {
      try {
        const { config } = parseMptConfig({ ...FULL, ...changes, model_type: 'mpt' }, 'c');
        assert.equal(config.dModel % config.heads, 0);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
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
