/** The commands around scaling fits: what they print as JSON, on simulated ladders and on the published table, and what they refuse. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PLANTED, simulatedLadder } from '../scaling/index.ts';
import { runProgram } from './program.ts';
import { testIo } from './testing.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isoflop-cli-'));
});
after(() => rm(folder, { recursive: true }));

/** The arguments of a command line without quotes. */
const words = (line: string): string[] => line.split(' ');

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; log: string }> {
  const io = testIo();
  const code = await runProgram(argv, io);
  return { code, out: io.stdout(), log: io.stderr() };
}

async function json(...argv: readonly string[]): Promise<Record<string, never>> {
  const { code, out, log } = await run(...argv, '--json');
  assert.equal(code, 0, log);
  return JSON.parse(out) as Record<string, never>;
}

/** A ladder as a CSV file with a byte-order mark and CRLF, under foreign column names where asked. */
async function ladderFile(name: string, form: 'power' | 'chinchilla', foreign: boolean): Promise<string> {
  const points = simulatedLadder({ ...PLANTED[form], noise: form === 'power' ? 0.005 : 0.003, seed: 5 });
  const header = foreign ? 'Model Size,D,Training FLOP,loss' : 'model,family,params,flops,ndcg_at_10';
  const rows = points.models.map((model, row) => {
    const [n, d] = [points.size[row]!, points.compute[row]! / 6 / points.size[row]!];
    const y = points.target.values[row]!;
    return foreign
      ? [n, d, points.compute[row]!, y].join(',')
      : [model, 'mpt', n, points.compute[row]!, y].join(',');
  });
  const path = join(folder, name);
  await writeFile(path, `\ufeff${[header, ...rows].join('\r\n')}\r\n`);
  return path;
}

test('fit prints one object with the promised fields, for foreign column names too', async () => {
  const table = await ladderFile('chinchilla.csv', 'chinchilla', true);
  const columns = ['--params', 'Model Size', '--tokens', 'D', '--y', 'loss'];
  const report = await json(
    'fit',
    table,
    ...columns,
    ...words('--form chinchilla --resamples 20 --starts 400'),
  );
  for (const field of [
    'form',
    'coefficients',
    'objective',
    'n',
    'huberDelta',
    'starts',
    'convergedShare',
    'holdout',
    'warnings',
  ])
    assert.ok(field in report, field);
  assert.deepEqual(Object.keys(report['coefficients']!), ['E', 'A', 'B', 'alpha', 'beta']);
  assert.deepEqual(Object.keys(report['coefficients']!['E']!).slice(0, 3), ['value', 'low', 'high']);
  assert.equal(report['huberDelta'], 0.001);
  const derived = await json(
    'fit',
    table,
    ...['--params', 'Model Size', '--flops', 'Training FLOP', '--derive', '--y', 'loss'],
    ...words('--form chinchilla --resamples 0 --starts 400'),
  );
  assert.ok(Math.abs(Number(derived['objective']) - Number(report['objective'])) < 1e-9);
});

test('fit with a hold-out, file, figure and prediction', async () => {
  const table = await ladderFile('power.csv', 'power', false);
  const [fitFile, figure] = [join(folder, 'FIT.json'), join(folder, 'fit.svg')];
  const argv = ['fit', table, '--form', 'power', '--x', 'flops', '--y', 'ndcg_at_10', '--holdout', 'largest'];
  const report = await json(...argv, '--resamples', '30', '-o', fitFile, '--figure', figure);
  assert.equal(report['n'], 20);
  const holdout = report['holdout']! as Record<string, number & Record<string, number>>;
  assert.match(String(holdout['model']), /^6659m/);
  assert.ok(holdout['low']! < holdout['actual']! && holdout['actual']! < holdout['high']!);
  assert.deepEqual(Object.keys(holdout['naive']!), ['last', 'logLinear']);
  assert.deepEqual(JSON.parse(await readFile(fitFile, 'utf8')), report);
  const svg = await readFile(figure, 'utf8');
  assert.match(svg, /^<svg/);
  assert.match(svg, /pretraining FLOPs \(convention not stated\)/);
  const predicted = await json('predict', fitFile, '--at', '4x', '--at', '1e24');
  const rows = predicted['predictions']! as {
    value: number;
    low: number;
    high: number;
    at: { flops: number };
  }[];
  assert.equal(rows.length, 2);
  assert.equal(rows[1]!.at.flops, 1e24);
  assert.ok(rows[0]!.low < rows[0]!.value && rows[0]!.value < rows[0]!.high);
  const text = await run(...argv, '--resamples', '0');
  assert.match(text.out, /held out: 6659m/);
  assert.equal((await run('predict', fitFile, '--at', '1,2')).code, 2);
  assert.equal((await run('predict', table, '--at', '1e20')).code, 2);
});

test('fit, compare, correlate, proxy, optimal and cost work on the published table', async () => {
  const families = words('published --family SGPT-msmarco --family udever-bloom');
  const powerLaw = ['fit', ...families, ...words('--form power --x flops --y beir14')];
  const report = await json(...powerLaw, '--resamples', '20');
  assert.equal(report['n'], 8);
  assert.equal(report['flopsConvention'], '6nd');
  const compared = await json(...powerLaw, '--compare');
  assert.equal((compared['comparison']! as unknown[]).length, 4);
  const decoders = words('published --where study=luo2024 --where type=decoder');
  const partial = words('--x icl --y beir13 --partial flops --resamples 20');
  const correlated = await json('correlate', ...decoders, ...partial);
  const [hellaswag] = correlated['pairs']! as {
    x: string;
    n: number;
    pearson: { value: number };
    spearman: { value: number };
  }[];
  assert.deepEqual([hellaswag!.x, hellaswag!.n], ['hellaswag', 11]);
  assert.ok(
    Math.abs(hellaswag!.pearson.value - 0.957) < 0.001 && Math.abs(hellaswag!.spearman.value - 0.9) < 0.001,
  );
  const score = words('--icl hellaswag --y beir13 --score hellaswag=0.79');
  const proxied = await json('proxy', ...decoders, ...score);
  assert.ok(Math.abs((proxied['prediction']! as { value: number }).value - 0.504) < 0.001);
  const optimal = await json(...words('optimal --budget 1e21 --resamples 10'));
  assert.equal((optimal['budgets']! as unknown[]).length, 1);
  const cost = await json(...words('cost --params 1e9 --tokens 2e10 --docs 1e6 --queries 1e6'));
  assert.equal((cost['cost']! as { pretraining: number }).pretraining, 1.2e20);
  const wished = await json(...words('cost --wish 0.45 --docs 1e6'));
  assert.ok(Number(wished['params']) > 1e8);
  const columns = words('--column model --column params --column source');
  const listed = await json('published', '--where', 'type=encoder', ...columns);
  assert.ok((listed['rows']! as unknown[]).length > 20);
});

test('wrong usage and broken tables exit 2 and say where', async () => {
  const bad = join(folder, 'bad.csv');
  await writeFile(bad, 'model,flops,y\na,1e20,0.4\nb,oops,0.5\n');
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['fit', bad, '--form', 'power', '--x', 'flops', '--y', 'y'], /bad.csv:3: 'flops' holds 'oops'/],
    [['fit', join(folder, 'none.csv'), '--form', 'power', '--x', 'flops', '--y', 'y'], /no such file/],
    [['fit', bad, '--form', 'cubic', '--x', 'flops', '--y', 'y'], /Allowed choices/],
    [
      ['fit', 'published', '--family', 'Nope', '--form', 'power', '--x', 'flops', '--y', 'beir14'],
      /no family 'Nope'/,
    ],
    [['fit', 'published', '--form', 'power', '--x', 'flops', '--y', 'beir14', '--level', '2'], /no coverage/],
    [['optimal', '--budget', 'much'], /expected a number of FLOPs/],
    [['cost', '--docs', '5'], /give --params/],
    [['proxy', 'published', '--icl', 'hellaswag', '--y', 'beir13', '--score', 'mmlu=0.5'], /needs hellaswag/],
    [['points', join(folder, 'none')], /no such file/],
  ];
  for (const [argv, message] of cases) {
    const { code, out, log } = await run(...argv);
    assert.equal(code, 2, argv.join(' '));
    assert.equal(out, '');
    assert.match(log, message);
  }
});
