import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { InputError } from '../base/index.ts';
import { strip } from './blanks.ts';
import { encodePrompts } from './encode.ts';
import { fewShots } from './few-shot.ts';
import { finalAnswer, matchAnswer, normalizeAnswer } from './match.ts';
import { buildPrompt, type PromptContext } from './prompt.ts';
import { PythonIntSet, PythonRandom } from './python-random.ts';
import { poolsOf, shareOut } from './select.ts';
import { DEFAULT_PROMPT, type IclTask } from './settings.ts';
import { tinyTokenizer } from './testing.ts';

const tokenizer = await tinyTokenizer();
const style = (name: 'isoflop' | 'llm-foundry', settings = {}): PromptContext => ({
  style: name,
  settings: { ...DEFAULT_PROMPT, ...settings },
  workedSolutions: false,
});

interface Golden {
  readonly words: readonly number[];
  readonly cases: readonly { size: number; shots: number; seed: number; chosen: number[][] }[];
}

test('few-shot examples are those that Python picks, in the order of its sets', async () => {
  const path = fileURLToPath(new URL('../../tests/golden/icl-fewshot.golden.json', import.meta.url));
  const { words, cases } = JSON.parse(await readFile(path, 'utf8')) as Golden;
  const random = new PythonRandom(1234);
  const drawn = Array.from({ length: 1300 }, () => random.uint32());
  assert.deepEqual(drawn.slice(-8), words);
  for (const { size, shots, seed, chosen } of cases) {
    const choose = fewShots(size, { style: 'llm-foundry', shots, seed, name: 'x' });
    assert.deepEqual(
      chosen.map((_, item) => choose(item)),
      chosen,
      `${size} ${shots} ${seed}`,
    );
  }
});

test('a set of integers keeps what was added and not taken out', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 300 })), { maxLength: 300 });
  fc.assert(
    fc.property(steps, list => {
      const [ours, theirs] = [new PythonIntSet(), new Set<number>()];
      for (const [keep, item] of list) {
        if (keep) ours.add(item);
        else ours.delete(item);
        if (keep) theirs.add(item);
        else theirs.delete(item);
      }
      assert.equal(ours.size, theirs.size);
      assert.deepEqual([...ours].sort(), [...theirs].sort());
    }),
  );
});

test('examples are others, all different, and depend on the item alone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(), fc.nat(), (records, seed, at) => {
      const shots = 1 + (seed % (records - 1));
      const item = at % records;
      for (const name of ['isoflop', 'llm-foundry'] as const) {
        const chosen = fewShots(records, { style: name, shots, seed, name: 'x' })(item);
        assert.equal(new Set(chosen).size, shots);
        assert.ok(chosen.every(i => i !== item && i >= 0 && i < records));
      }
    }),
  );
  assert.throws(() => fewShots(3, { style: 'isoflop', shots: 3, seed: 1, name: 'small' }), InputError);
});

test('prompts by record type, as llm-foundry builds them', () => {
  const lm = [
    { context: ' A b ', continuation: 'c ' },
    { context: 'D', continuation: 'e' },
  ];
  for (const name of ['isoflop', 'llm-foundry'] as const) {
    const context = style(name, { continuationDelimiter: '\nAnswer: ', prelimiter: 'Q: ' });
    assert.deepEqual(buildPrompt('language_modeling', lm[1]!, [lm[0]!, lm[0]!], context), {
      preamble: 'Q: A b\nAnswer: c\nQ: A b\nAnswer: c',
      options: [{ context: '\nQ: D\nAnswer:', continuation: 'e' }],
      gold: 0,
    });
    const choice = { query: 'one', choices: ['x', 'y'], gold: 1 };
    assert.deepEqual(buildPrompt('multiple_choice', choice, [choice], style(name, { promptString: 'P' })), {
      preamble: 'P\none y',
      options: [
        { context: '\none', continuation: 'x' },
        { context: '\none', continuation: 'y' },
      ],
      gold: 1,
    });
    const solved = { context: 'q', answer: '4', aliases: [], chainOfThought: '2+2' };
    const worked = { ...style(name, { cotDelimiter: ' so ' }), workedSolutions: true };
    assert.deepEqual(buildPrompt('generation_task_with_answers', solved, [solved], worked), {
      preamble: 'q 2+2 so 4',
      options: [{ context: '\nq', continuation: '2+2 so 4' }],
      gold: 0,
    });
  }
});

test('schemas: what llm-foundry swaps and omits, and what isoflop does instead', () => {
  const schema = { contextOptions: ['He ', 'She'], continuation: 'ran.', gold: 1 };
  const settings = { prelimiter: '> ', continuationDelimiter: ' :', exampleDelimiter: '\n' };
  const build = (name: 'isoflop' | 'llm-foundry', examples: number) => {
    const prompt = buildPrompt('schema', schema, new Array(examples).fill(schema), style(name, settings));
    return [prompt.preamble, ...prompt.options.map(({ context }) => context)];
  };
  assert.deepEqual(build('llm-foundry', 0), ['', '> He ', '> She']);
  assert.deepEqual(build('isoflop', 0), ['', '> He :', '> She :']);
  assert.deepEqual(build('llm-foundry', 1), ['> She :ran.', '> \nHe  :', '> \nShe :']);
  assert.deepEqual(build('isoflop', 1), ['> She :ran.', '\n> He :', '\n> She :']);
});

const prompt = (preamble: string, context: string, continuation: string) => ({
  preamble,
  options: [{ context, continuation }],
  gold: 0,
});

test('contexts lose tokens at the left only, continuations keep theirs, and something always stands before', async () => {
  const words = fc.array(fc.constantFrom('fox', 'lazy', 'dog', 'é'), { maxLength: 20 });
  const filled = fc.array(fc.constantFrom('fox', 'dog'), { minLength: 1, maxLength: 20 });
  const ids = async (text: string) => [...(await tokenizer.encode(text))];
  await fc.assert(
    fc.asyncProperty(words, words, filled, fc.integer({ min: 2, max: 30 }), async (a, b, c, room) => {
      const [preamble, context, continuation] = [a.join(' '), b.join(' '), c.join(' ')];
      const settings = { style: 'isoflop', contextTokens: room, name: 'x' } as const;
      const [[option]] = (await encodePrompts(
        [prompt(preamble, context, continuation)],
        tokenizer,
        settings,
      )) as [[Awaited<ReturnType<typeof encodePrompts>>[number][number]]];
      const before = [...(await ids(preamble)), ...(await ids(context))];
      const after = await ids(` ${continuation}`);
      const whole = [...(before.length > 0 ? before : [tokenizer.eosId]), ...after];
      const { tokens, start, bytes, cut, trimmed } = option;
      assert.ok(tokens.length <= room && start >= 1);
      assert.equal(cut, after.length > room - 1);
      assert.equal(trimmed, before.length > start);
      assert.deepEqual([...tokens.slice(start)], after.slice(0, room - 1));
      assert.deepEqual([...tokens.slice(0, start)], whole.slice(0, -after.length).slice(-start));
      if (!cut) assert.equal(bytes, Buffer.byteLength(` ${continuation}`));
      if (!cut && !trimmed) assert.equal(tokens.length, whole.length);
    }),
    { numRuns: 60 },
  );
});

test('an answer that does not fit is refused where llm-foundry refuses it', async () => {
  const settings = { style: 'llm-foundry', contextTokens: 4, name: 'task' } as const;
  const long = prompt('', 'fox', 'dog dog dog dog dog dog');
  await assert.rejects(encodePrompts([long], tokenizer, settings), /task: an answer of/);
});

test('answers are compared as TriviaQA compares them', () => {
  assert.equal(normalizeAnswer(' The_Beatles’ "White"  Album! '), 'beatles white album');
  assert.equal(normalizeAnswer('théâtre a la an'), 'théâtre la');
  assert.equal(
    finalAnswer('a The answer is 4.\n\nThe answer is 5', { stops: ['\n\n'], cotDelimiter: 'is ' }),
    '4.',
  );
  const settings = { style: 'isoflop', stops: [], cotDelimiter: '', normalize: true } as const;
  const right = ['Paris', 'The'];
  assert.deepEqual(matchAnswer('the Paris of old', right, settings), { prefix: true, exact: false });
  assert.deepEqual(matchAnswer('Paris.', right, settings), { prefix: true, exact: true });
  assert.deepEqual(matchAnswer('London', right, settings), { prefix: false, exact: false });
  assert.deepEqual(matchAnswer('London', right, { ...settings, style: 'llm-foundry' }).prefix, true);
  assert.deepEqual(matchAnswer('paris', right, { ...settings, normalize: false }).prefix, false);
  assert.deepEqual(
    ['1', '1 apple', '1.5', '18', '1st'].map(text => matchAnswer(text, ['1'], settings).prefix),
    [true, true, true, false, false],
  );
  assert.equal(matchAnswer('18', ['1'], { ...settings, style: 'llm-foundry' }).prefix, true);
  assert.equal(matchAnswer('$20', ['$'], { ...settings, normalize: false }).prefix, true);
  assert.equal(strip('\x1c\u3000 a \ufeff '), 'a \ufeff');
});

test('a limit takes evenly from categories, the same items every time', () => {
  const records = Array.from({ length: 30 }, (_, i) => ({
    context: `c${i}`,
    continuation: 'x',
    category: i < 20 ? 'big' : i < 28 ? 'middle' : 'small',
  }));
  const task: IclTask = { label: 't', type: 'language_modeling', shots: 1, categories: true, records };
  const pools = poolsOf(task, 'isoflop', 12);
  assert.deepEqual(
    pools.map(({ category, selected }) => [category, selected.length]),
    [
      ['big', 5],
      ['middle', 5],
      ['small', 2],
    ],
  );
  assert.deepEqual(
    pools.map(({ selected }) => selected),
    poolsOf(task, 'llm-foundry', 12).map(({ selected }) => selected),
  );
  for (const { places, examples } of pools)
    for (const [member] of places.entries())
      assert.ok(examples(member).every(place => places.includes(place)));
  assert.throws(() => poolsOf(task, 'isoflop', 2), /a limit of 2 items/);
  fc.assert(
    fc.property(fc.nat(50), fc.array(fc.nat(9), { minLength: 1, maxLength: 9 }), (total, sizes) => {
      const shares = shareOut(total, sizes);
      const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
      assert.equal(sum(shares), Math.min(total, sum(sizes)));
      const unfilled = shares.filter((share, i) => share < sizes[i]!);
      assert.ok(shares.every((share, i) => share <= sizes[i]!));
      if (unfilled.length > 0) assert.ok(Math.max(...shares) - Math.min(...unfilled) <= 1);
    }),
  );
});
