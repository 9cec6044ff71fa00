import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { InputError } from '../../base/index.ts';
import * as d from '../index.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isoflop-results-'));
});
after(() => rm(folder, { recursive: true }));

async function put(name: string, value: unknown): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

function refuses(run: () => unknown, pattern: RegExp): void {
  assert.throws(
    run,
    (error: unknown) => error instanceof InputError && pattern.test(error.message),
    String(pattern),
  );
}

const table = (text: string) => d.parseTable(text, 't.csv');

test('CSV: quotes, CRLF, byte-order mark, other separators, blank lines', async () => {
  const parsed = table('a,b\r\n"x, ""y""",1\r\n\r\n"two\nlines",2\r\n');
  assert.deepEqual(
    parsed.rows.map(row => row.cells),
    [
      ['x, "y"', '1'],
      ['two\nlines', '2'],
    ],
  );
  assert.deepEqual(
    parsed.rows.map(row => row.line),
    [2, 4],
  );
  assert.deepEqual(table('a;b\n1;2').rows[0]!.cells, ['1', '2']);
  assert.deepEqual(table('a\tb\n1\t').rows[0]!.cells, ['1', '']);
  const bom = await put('bom.csv', '\ufeffmodel,flops\nm,1e20\n');
  assert.deepEqual((await d.readTable(bom)).columns, ['model', 'flops']);
  assert.equal(
    table(
      d.formatCsv(
        ['a', 'b'],
        [
          ['x"y', 1],
          ['p,q', null],
        ],
      ),
    ).rows[1]!.cells[0],
    'p,q',
  );
});

test('CSV: broken tables are refused with their lines', () => {
  refuses(() => table(''), /is empty/);
  refuses(() => table('a,a\n1,2'), /two columns are named 'a'/);
  refuses(() => table('a,\n1,2'), /column 2 has no name/);
  refuses(() => table('a,b\n1,2\n3'), /t.csv:3: expected 2 cells/);
  refuses(() => table('a,b\n"x,1'), /never closed/);
  refuses(() => table('a,b\n"x"y,1'), /after the closing quote/);
});

test('points: columns by any name, derived inputs, rows without a value left out', () => {
  const epoch = table('Model Size,Training FLOP,loss\n1e9,6e19,2.5\n2e9,2.4e20,2.3\n4e9,,2.2\n');
  const points = d.selectPoints(epoch, {
    params: 'Model Size',
    flops: 'Training FLOP',
    y: 'loss',
    derive: true,
  });
  assert.deepEqual([...points.axes[1]!.values], [1e10, 2e10]);
  assert.equal(points.axes[0]!.name, 'Model Size');
  assert.deepEqual([...points.compute], [6e19, 2.4e20]);
  assert.match(points.notes.join('\n'), /tokens of 2 rows were derived by D = C \/ \(6N\)/);
  assert.match(points.notes.join('\n'), /1 of 3 rows were left out: 'tokens' is empty in 1/);
  refuses(
    () => d.selectPoints(epoch, { params: 'Model Size', flops: 'Training FLOP', y: 'loss' }),
    /add --derive to take D = C \/ \(6N\) from 'Training FLOP' and 'Model Size'/,
  );
  const ours = table('model,family,params,tokens,ndcg_at_10\nm,f,1e9,2e10,0.4\n');
  const derived = d.selectPoints(ours, { x: 'flops', y: 'ndcg_at_10', derive: true });
  assert.deepEqual([...derived.axes[0]!.values], [1.2e20]);
  assert.deepEqual([...derived.size], [1e9]);
  refuses(() => d.selectPoints(ours, { x: 'flops', y: 'ndcg_at_10' }), /add --derive to take C = 6ND/);
});

test('points: text in number columns, missing columns and unknown families name place and remedy', () => {
  const bad = table('model,family,flops,y\na,f,1e20,0.4\nb,f,7B,0.5\nc,f,"1,000",x\nd,f,nan,1\n');
  refuses(
    () => d.selectPoints(bad, { x: 'flops', y: 'y' }),
    /t.csv:3: 'flops' holds '7B', not a number: write it out, as in 7e9/,
  );
  refuses(() => d.selectPoints(bad, { x: 'flops', y: 'y' }), /t.csv:4: 'y' holds 'x'/);
  refuses(() => d.selectPoints(bad, { x: 'FLOPS', y: 'y' }), /did you mean 'flops'/);
  refuses(() => d.selectPoints(bad, { x: 'nothing', y: 'y' }), /it has model, family, flops, y/);
  refuses(() => d.selectPoints(bad, { x: 'flops', y: 'y', families: ['g'] }), /no family 'g'; it has f/);
  refuses(() => d.whereRows(bad, ['family=g']), /no row has family=g/);
  refuses(() => d.whereRows(bad, ['family']), /expected COLUMN=TEXT/);
  const wide = table(
    `${['flops', 'y', ...Array.from({ length: 1000 }, (_, i) => `c${i}`)].join(',')}\n1e20,0.4${',text'.repeat(1000)}\n`,
  );
  assert.equal(d.selectPoints(wide, { x: 'flops', y: 'y' }).models.length, 1);
});

test('MTEB: old and new files, one revision, forums, complete sets only', async () => {
  const fresh = {
    task_name: 'SciFact',
    mteb_version: '2.1.0',
    scores: { test: [{ ndcg_at_10: 0.7, hf_subset: 'default' }] },
  };
  const old = {
    mteb_dataset_name: 'NFCorpus',
    mteb_version: '1.0.2',
    test: { ndcg_at_10: 0.3, map_at_10: 0.1 },
  };
  const oldest = { mteb_version: '1.2.0', test: { 'NDCG@10': 0.2 } };
  const msmarco = {
    task_name: 'MSMARCO',
    scores: { dev: [{ ndcg_at_10: 0.4 }], test: [{ ndcg_at_10: 0.9 }] },
  };
  await put('org__m/rev/SciFact.json', fresh);
  await put('org__m/rev/NFCorpus.json', old);
  await put('org__m/rev/SCIDOCS.json', oldest);
  await put('org__m/rev/MSMARCO.json', msmarco);
  await put('org__m/rev/model_meta.json', { name: 'org/m', n_parameters: 125000000 });
  const read = await d.readMtebFolder(join(folder, 'org__m'));
  assert.equal(read.model, 'org/m');
  assert.equal(read.params, 125000000);
  assert.deepEqual(Object.fromEntries(read.scores), {
    MSMARCO: 0.4,
    NFCorpus: 0.3,
    SCIDOCS: 0.2,
    SciFact: 0.7,
  });
  refuses(() => d.meanOverSet(read, 'beir14'), /11 of 14 collections are missing: ArguAna/);
  for (let i = 0; i < 12; i++)
    await put(`cqa/CQADupstackForum${i}Retrieval.json`, {
      task_name: `CQADupstackForum${i}Retrieval`,
      test: { ndcg_at_10: i / 20 },
    });
  assert.ok(
    Math.abs((await d.readMtebFolder(join(folder, 'cqa'))).scores.get('CQADupstackRetrieval')! - 5.5 / 20) <
      1e-12,
  );
  await rm(join(folder, 'cqa', 'CQADupstackForum0Retrieval.json'));
  await assert.rejects(d.readMtebFolder(join(folder, 'cqa')), /11 of CQADupStack's 12 forums/);
  await put('two/a/SciFact.json', fresh);
  await put('two/b/SciFact.json', fresh);
  await assert.rejects(d.readMtebFolder(join(folder, 'two')), /2 revisions/);
  await put('mixed/SciFact.json', fresh);
  await put('mixed/NFCorpus.json', { ...old, test: { ndcg_at_10: 31.2 } });
  await assert.rejects(d.readMtebFolder(join(folder, 'mixed')), /mixes percentages and fractions/);
  await put('broken/SciFact.json', '{');
  await assert.rejects(d.readMtebFolder(join(folder, 'broken')), /not valid JSON/);
  await put('nan/SciFact.json', { task_name: 'SciFact', test: { ndcg_at_10: null } });
  await assert.rejects(d.readMtebFolder(join(folder, 'nan')), /not a score/);
});

test('lm-eval: both key styles, the model named, text for numbers refused', () => {
  const fresh = d.parseLmEval(
    {
      results: {
        hellaswag: { alias: 'hellaswag', 'acc,none': 0.4, 'acc_norm,none': 0.5, 'acc_stderr,none': 'N/A' },
        gsm8k: { 'exact_match,strict-match': 0.1 },
      },
      config: { model: 'hf', model_args: 'pretrained=EleutherAI/pythia-160m,revision=step3000' },
    },
    'r.json',
  );
  assert.equal(fresh.model, 'EleutherAI/pythia-160m@step3000');
  assert.equal(fresh.scores.get('hellaswag'), 0.5);
  assert.equal(fresh.scores.get('hellaswag.acc'), 0.4);
  assert.equal(fresh.scores.get('gsm8k.exact_match.strict-match'), 0.1);
  const old = d.parseLmEval(
    { results: { piqa: { acc: 0.6 }, lambada: { ppl: 12, acc: 0.3 } }, model_name: 'm' },
    'r.json',
  );
  assert.deepEqual(Object.fromEntries(old.scores), {
    'piqa.acc': 0.6,
    piqa: 0.6,
    'lambada.acc': 0.3,
    lambada: 0.3,
  });
  refuses(
    () => d.parseLmEval({ results: { piqa: { acc: 61 } }, model_name: 'm' }, 'r.json'),
    /not a score in 0..1/,
  );
  refuses(() => d.parseLmEval({ results: { piqa: { acc: 0.6 } } }, 'r.json'), /names no model/);
  refuses(() => d.parseLmEval({ results: {}, model_name: 'm' }, 'r.json'), /no accuracy/);
  refuses(() => d.parseLmEval([], 'r.json'), /no lm-eval result/);
});

test('BEIR results: many sets, grouped metrics, one set, percentages', () => {
  const many = d.parseBeirResult(
    { scifact: { 'NDCG@10': 0.7 }, 'trec-covid': { ndcg: { 'NDCG@10': 0.6 } } },
    'beir.json',
    'm',
  );
  assert.deepEqual(Object.fromEntries(many.scores), { SciFact: 0.7, TRECCOVID: 0.6 });
  const one = d.parseBeirResult({ 'NDCG@10': 70 }, 'x/nfcorpus.json', 'm');
  assert.deepEqual(Object.fromEntries(one.scores), { NFCorpus: 0.7 });
  refuses(() => d.parseBeirResult({ scifact: { 'MAP@10': 0.7 } }, 'b.json', 'm'), /no nDCG@10/);
});

test('a joined table: facts from the model table and from config.json', async () => {
  const config = {
    model_type: 'gpt_neox',
    hidden_size: 768,
    num_hidden_layers: 12,
    intermediate_size: 3072,
    vocab_size: 50304,
  };
  await put('joined/pythia.json', config);
  const models = await put(
    'joined/models.csv',
    'model,family,tokens,config\nEleutherAI/pythia-160m,pythia,3e11,pythia.json\n',
  );
  const results = [
    d.parseLmEval({ results: { piqa: { acc: 0.6 } }, model_name: 'EleutherAI/pythia-160m' }, 'r.json'),
  ];
  const joined = await d.joinResults(results, { models: await d.readTable(models) });
  assert.deepEqual(joined.columns, ['model', 'family', 'params', 'tokens', 'flops', 'piqa', 'piqa.acc']);
  assert.deepEqual(joined.rows[0], [
    'EleutherAI/pythia-160m',
    'pythia',
    162322944,
    3e11,
    6 * 162322944 * 3e11,
    0.6,
    0.6,
  ]);
  await assert.rejects(
    d.joinResults([{ model: 'x', scores: new Map() }], { models: await d.readTable(models) }),
    /no row for 'x'/,
  );
  await assert.rejects(
    d.joinResults([results[0]!, { model: results[0]!.model, scores: new Map([['piqa', 0.7]]) }], {}),
    /has piqa twice/,
  );
});

test('parameters of published configurations equal the published counts', () => {
  const count = (config: object) => d.parametersOfConfig(config, 'config.json');
  const llama2 = {
    model_type: 'llama',
    hidden_size: 4096,
    intermediate_size: 11008,
    num_attention_heads: 32,
    num_hidden_layers: 32,
    vocab_size: 32000,
    tie_word_embeddings: false,
  };
  assert.equal(count(llama2), 6_738_415_616);
  assert.equal(
    count({ model_type: 'gpt2', n_embd: 768, n_layer: 12, n_positions: 1024, vocab_size: 50257 }),
    124_439_808,
  );
  assert.equal(
    count({
      model_type: 'gpt_neo',
      hidden_size: 768,
      num_layers: 12,
      max_position_embeddings: 2048,
      vocab_size: 50257,
    }),
    125_198_592,
  );
  assert.equal(count({ model_type: 'bloom', n_embed: 1024, n_layer: 24, vocab_size: 250880 }), 559_214_592);
  assert.equal(
    count({
      model_type: 'opt',
      hidden_size: 768,
      ffn_dim: 3072,
      num_hidden_layers: 12,
      max_position_embeddings: 2048,
      vocab_size: 50272,
    }),
    125_239_296,
  );
  assert.equal(
    count({
      model_type: 'bert',
      hidden_size: 768,
      intermediate_size: 3072,
      num_hidden_layers: 12,
      max_position_embeddings: 512,
      type_vocab_size: 2,
      vocab_size: 30522,
    }),
    109_482_240,
  );
  assert.equal(
    count({
      model_type: 'mpt',
      d_model: 768,
      n_layers: 12,
      n_heads: 12,
      vocab_size: 50368,
      max_seq_len: 2048,
    }),
    125_311_488,
  );
  assert.equal(
    count({
      model_type: 'mpt',
      d_model: 768,
      n_layers: 12,
      vocab_size: 50368,
      max_seq_len: 2048,
      no_bias: true,
      attn_config: { alibi: true },
    }),
    123_636_480,
  );
  assert.equal(count({ model_type: 'gptj', n_embd: 4096, n_layer: 28, vocab_size: 50400 }), 6_050_882_784);
  assert.equal(
    count({ ...llama2, model_type: 'mistral', intermediate_size: 14336, num_key_value_heads: 8 }),
    7_241_732_096,
  );
  refuses(() => count({ model_type: 'rwkv' }), /give them in the model table/);
  refuses(() => count({ ...llama2, hidden_size: -1 }), /whole number above 0/);
  refuses(() => count({ model_type: 'constructor' }), /model_type/);
});

test('per-query scores: every model has every query once', () => {
  const good = d.perQueryScores(
    table('model,query,dataset,ndcg\na,1,x,0.5\na,2,x,0.7\nb,2,x,0.1\nb,1,x,0.3\n'),
    'ndcg',
  );
  assert.deepEqual(good.datasets, ['x']);
  assert.deepEqual([...good.scores.get('b')![0]!], [0.3, 0.1]);
  refuses(() => d.perQueryScores(table('model,query,ndcg\na,1,0.5\na,1,0.6\n'), 'ndcg'), /twice/);
  refuses(
    () => d.perQueryScores(table('model,query,ndcg\na,1,0.5\na,2,0.5\nb,1,0.6\n'), 'ndcg'),
    /1 queries of the first model are missing/,
  );
  refuses(() => d.perQueryScores(table('model,query,ndcg\na,1,\n'), 'ndcg'), /is empty/);
});

test('the published table: every row has a source, 6ND where tokens are known, and the figures of its sources', () => {
  const published = d.publishedTable();
  const index = (name: string) => d.columnIndex(published, name);
  const rows = published.rows.map(
    ({ cells }) =>
      (name: string) =>
        cells[index(name)]!,
  );
  for (const row of rows) {
    assert.ok(row('source') !== '' && row('caveats') !== '', row('model'));
    if (row('tokens') === '') assert.equal(row('flops'), '', row('model'));
    else {
      const expected = 6 * Number(row('params')) * Number(row('tokens'));
      assert.ok(Math.abs(Number(row('flops')) / expected - 1) < 1e-5, row('model'));
    }
    for (const name of [...d.BEIR_15, 'beir13', 'beir14', 'beir15', 'hellaswag', 'mmlu', 'piqa'])
      if (row(name) !== '')
        assert.ok(Number(row(name)) >= 0 && Number(row(name)) < 1, `${row('model')} ${name}`);
  }
  assert.equal(new Set(rows.map(row => row('model'))).size, rows.length, 'no model stands twice');
  const find = (model: string) => rows.find(row => row('model') === model)!;
  assert.equal(find('luo2024/Qwen1.5-32B')('beir13'), '0.528');
  assert.equal(find('luo2024/Qwen1.5-32B')('flops'), '7.68e+23');
  assert.equal(find('luo2024/T5-v1.1-xxl')('tokens'), '');
  assert.equal(find('izhx/udever-bloom-560m')('beir14'), '0.4169');
  assert.equal(find('intfloat/e5-base')('tokens'), '');
  assert.ok(rows.filter(row => row('type') === 'encoder').length > 20);
});

test('the shipped MTEB rows are those of the source file', async t => {
  const data = process.env['ISOFLOP_DATA'];
  if (!data) return t.skip('ISOFLOP_DATA is not set');
  const text = await readFile(join(data, 'mteb_beir', 'family_scaling.csv'), 'utf8');
  const source = d.parseTable(text, 'family_scaling.csv');
  const published = d.publishedTable();
  for (const { cells } of source.rows) {
    const model = cells[d.columnIndex(source, 'model')]!;
    const own = published.rows.find(row => row.cells[0] === model);
    assert.ok(own, model);
    for (const task of d.BEIR_15)
      assert.equal(
        own.cells[d.columnIndex(published, task)],
        cells[d.columnIndex(source, task)],
        `${model} ${task}`,
      );
    const mean = cells[d.columnIndex(source, 'mean_14_zero_shot')]!;
    const shown = own.cells[d.columnIndex(published, 'beir14')]!;
    if (mean !== '') assert.ok(Math.abs(Number(mean) - Number(shown)) < 2e-5, model);
  }
});
