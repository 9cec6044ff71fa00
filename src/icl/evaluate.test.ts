import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError, Rng } from '../base/index.ts';
import { encodePrompts } from './encode.ts';
import { evaluateIcl, type IclOptions } from './evaluate.ts';
import { buildPrompt } from './prompt.ts';
import { bitsPerByte, gauntletAccuracy, type IclItem, type IclTaskResult, scoresOf } from './result.ts';
import { Scorer } from './scorer.ts';
import { DEFAULT_PROMPT, type IclTask } from './settings.ts';
import { sentence, tinyModel, tinyTokenizer } from './testing.ts';

const tokenizer = await tinyTokenizer();
const model = tinyModel(tokenizer);
const rng = Rng.from(5, 'tasks');

const choice: IclTask = {
  label: 'choice',
  type: 'multiple_choice',
  shots: 1,
  records: Array.from({ length: 30 }, (_, i) => ({
    query: sentence(rng, 8),
    choices: [sentence(rng, 3), sentence(rng, 2), sentence(rng, 4)],
    gold: i % 3,
  })),
};
const schema: IclTask = {
  label: 'schema',
  type: 'schema',
  shots: 2,
  records: Array.from({ length: 12 }, (_, i) => ({
    contextOptions: [sentence(rng, 5), sentence(rng, 5)],
    continuation: sentence(rng, 3),
    gold: i % 2,
  })),
};
const words: IclTask = {
  label: 'words',
  type: 'language_modeling',
  shots: 0,
  categories: true,
  records: Array.from({ length: 9 }, (_, i) => ({
    context: sentence(rng, 8),
    continuation: sentence(rng, 1),
    category: i < 6 ? 'many' : 'few',
  })),
};
const written: IclTask = {
  label: 'written',
  type: 'generation_task_with_answers',
  shots: 1,
  generation: { stops: ['.'] },
  records: Array.from({ length: 6 }, () => ({
    context: sentence(rng, 5),
    answer: sentence(rng, 2),
    aliases: [sentence(rng, 2)],
    chainOfThought: '',
  })),
};
const tasks = [choice, schema, words, written];

async function run(list: readonly IclTask[], options: IclOptions = {}) {
  const items = new Map<string, readonly IclItem[]>();
  const result = await evaluateIcl(model, tokenizer, list, {
    threads: 1,
    ...options,
    onTask: (task, own) => void items.set(task.label, own),
  });
  return { ...result, items };
}

test('all four types get accuracy, bits per byte, errors and chance', async () => {
  const { tasks: results, work, items } = await run(tasks);
  assert.deepEqual(
    results.map(({ label, items: n, records, shots, chance }) => [
      label,
      n,
      records,
      shots,
      chance.toFixed(6),
    ]),
    [
      ['choice', 30, 30, 1, '0.333333'],
      ['schema', 12, 12, 2, '0.500000'],
      ['words', 9, 9, 0, '0.000000'],
      ['written', 6, 6, 1, '0.000000'],
    ],
  );
  for (const { accuracy, bitsPerByte: bits } of results) {
    assert.ok(accuracy.value >= 0 && accuracy.value <= 1 && accuracy.standardError! >= 0);
    assert.ok(bits.value > 0 && bits.standardError! > 0);
  }
  assert.ok(results[3]!.exactMatch !== undefined && results[0]!.normalizedAccuracy !== undefined);
  assert.ok(items.get('written')!.every(({ output }) => output !== undefined));
  assert.ok(work.tokens > 0 && work.paddedTokens >= work.tokens);
});

test('an item’s scores are those of its prompt, scored by hand', async () => {
  const { items } = await run([choice]);
  const context = { style: 'isoflop', settings: DEFAULT_PROMPT, workedSolutions: false } as const;
  const none = { ...choice, shots: 0 } as IclTask;
  const zeroShot = (await run([none])).items.get('choice')!;
  const scorer = await Scorer.create(model.config, model.weights, { threads: 1 });
  for (const [i, record] of choice.records.slice(0, 4).entries()) {
    const prompt = buildPrompt('multiple_choice', record, [], context);
    const [encoded] = await encodePrompts([prompt], tokenizer, {
      style: 'isoflop',
      contextTokens: model.config.maxLength,
      name: 'x',
    });
    const [scores] = await scorer.score([encoded!]);
    const item = zeroShot[i]!;
    assert.deepEqual(
      item.options.map(({ tokens, bytes }) => [tokens, bytes]),
      encoded!.map(({ tokens, start, bytes }) => [tokens.length - start, bytes]),
    );
    for (const [j, { logLikelihood }] of item.options.entries())
      assert.ok(Math.abs(logLikelihood - scores![j]!.logLikelihood) < 1e-4);
    const best = (per: (o: IclItem['options'][number]) => number) =>
      item.options.reduce((most, _, j) => (per(item.options[j]!) > per(item.options[most]!) ? j : most), 0);
    assert.equal(item.correct, best(o => o.logLikelihood) === item.gold);
    assert.equal(item.correctPerToken, best(o => o.logLikelihood / o.tokens) === item.gold);
    assert.equal(item.correctPerByte, best(o => o.logLikelihood / o.bytes) === item.gold);
  }
  await scorer.release();
  assert.notDeepEqual(items.get('choice')![0]!.options, zeroShot[0]!.options); // an example before it changes something
});

test('batch size changes nothing beyond rounding, and a limit nothing for the items that remain', async () => {
  const whole = await run(tasks, { batchTokens: 4096 });
  const single = await run(tasks, { batchTokens: 1 });
  const fewer = await run(tasks, { limit: 5 });
  for (const { label } of tasks) {
    const [a, b] = [whole.items.get(label)!, single.items.get(label)!];
    assert.equal(a.length, b.length);
    for (const [i, item] of a.entries()) close(item, b[i]!);
    for (const item of fewer.items.get(label)!) close(item, a[item.index]!);
    assert.equal(fewer.items.get(label)!.length, 5);
  }
});

function close(a: IclItem, b: IclItem): void {
  assert.equal(a.index, b.index);
  assert.equal(a.output, b.output);
  for (const [j, { logLikelihood, bytes }] of a.options.entries()) {
    assert.ok(Math.abs(logLikelihood - b.options[j]!.logLikelihood) < 1e-4);
    assert.equal(bytes, b.options[j]!.bytes);
  }
}

test('a right answer that is the model’s own is found right', async () => {
  const prompts = words.records.map(({ context }) => context);
  const own: IclTask = { ...written, shots: 0, generation: { maxNewTokens: 3 } };
  const { items } = await run([
    { ...own, records: prompts.map(context => ({ context, answer: 'x', aliases: [], chainOfThought: '' })) },
  ]);
  const outputs = items.get('written')!.map(({ output }) => output!);
  const told = outputs.filter(output => /[a-z]/.test(output));
  assert.ok(told.length > 0);
  const records = prompts.map((context, i) => ({
    ...{ context, chainOfThought: '', aliases: ['nothing'] },
    answer: /[a-z]/.test(outputs[i]!) ? outputs[i]! : 'x',
  }));
  const again = await run([{ ...own, records }]);
  assert.ok(again.tasks[0]!.accuracy.value >= told.length / outputs.length - 1e-9);
  assert.ok(again.tasks[0]!.exactMatch!.value > 0);
});

test('learned positions may end anywhere: prompts fill them to the last one', async () => {
  const learned = tinyModel(tokenizer, { positions: 'learned', bias: true, maxLength: 19 });
  const { tasks: results } = await evaluateIcl(learned, tokenizer, [choice, written], { threads: 1 });
  assert.ok(results.every(({ trimmedItems, bitsPerByte: bits }) => trimmedItems > 0 && bits.value > 0));
});

test('categories count the same, whatever their size', async () => {
  const [result] = (await run([words])).tasks as [IclTaskResult];
  const [many, few] = result.categories!;
  assert.deepEqual([many!.name, many!.items, few!.name, few!.items], ['many', 6, 'few', 3]);
  assert.ok(
    Math.abs(result.bitsPerByte.value - (many!.bitsPerByte.value + few!.bitsPerByte.value) / 2) < 1e-12,
  );
});

test('standard errors: a binomial share, a ratio, and one item alone', () => {
  const item = (correct: boolean, logLikelihood: number, bytes: number): IclItem => ({
    ...{ index: 0, gold: 0, trimmed: false, cut: false, correct },
    options: [{ logLikelihood, tokens: 1, bytes }],
  });
  const scores = scoresOf([item(true, -1, 2), item(false, -1, 2), item(true, -1, 2), item(true, -1, 2)]);
  assert.equal(scores.accuracy.value, 0.75);
  assert.ok(Math.abs(scores.accuracy.standardError! - Math.sqrt((0.75 * 0.25) / 3)) < 1e-12);
  assert.deepEqual(gauntletAccuracy(scores), scores.accuracy);
  assert.ok(Math.abs(scores.bitsPerByte.value - 1 / (2 * Math.LN2)) < 1e-12);
  assert.ok(scores.bitsPerByte.standardError! < 1e-9);
  assert.equal(scoresOf([item(true, -1, 1)]).accuracy.standardError, null);
  // Against the bootstrap: resampled ratios of sums scatter by about the standard error.
  const draws = Rng.from(1, 'bootstrap');
  const answers = Array.from({ length: 60 }, () => {
    const bytes = 1 + draws.int(20);
    return { bytes, tokens: 1, logLikelihood: -bytes * (0.5 + draws.uniform()) };
  });
  const ratios = Array.from(
    { length: 2000 },
    () => bitsPerByte(answers.map(() => answers[draws.int(answers.length)]!)).value,
  );
  const center = ratios.reduce((a, b) => a + b) / ratios.length;
  const scatter = Math.sqrt(ratios.reduce((sum, r) => sum + (r - center) ** 2, 0) / ratios.length);
  assert.ok(Math.abs(scatter / bitsPerByte(answers).standardError! - 1) < 0.1);
});

test('what cannot be evaluated is refused before it costs anything', async () => {
  await assert.rejects(run([choice, choice]), /stands twice/);
  await assert.rejects(run([choice], { contextTokens: 1 }), /at least 2/);
  await assert.rejects(run([{ ...choice, shots: 30 }]), /too few for 30 examples/);
  await assert.rejects(
    run([{ ...written, generation: { maxNewTokens: 64 } }], { style: 'llm-foundry' }),
    InputError,
  );
  await assert.rejects(run([{ ...words, records: [{ context: 'a', continuation: 'b' }] }]), /no category/);
  const learned = tinyModel(tokenizer, { positions: 'learned', bias: true });
  await assert.rejects(
    evaluateIcl(learned, tokenizer, [choice], { contextTokens: 65 }),
    /positions end at 64/,
  );
  const small = tinyModel(tokenizer, { vocabSize: 64 });
  await assert.rejects(evaluateIcl(small, tokenizer, [choice]), /do not belong together/);
  const signal = AbortSignal.abort();
  await assert.rejects(run([choice], { signal }), { name: 'AbortError' });
});
