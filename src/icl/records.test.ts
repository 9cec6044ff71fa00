import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { InputError } from '../base/index.ts';
import { readRecordFile } from './read-records.ts';
import type { TaskType } from './records.ts';

const folder = await mkdtemp(join(tmpdir(), 'isoflop-icl-records-'));
after(() => rm(folder, { recursive: true }));

async function file(lines: readonly unknown[]): Promise<string> {
  const path = join(folder, 'records.jsonl');
  await writeFile(
    path,
    lines.map(line => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  );
  return path;
}

/** Messages with the lines they name. */
async function faults(type: TaskType, lines: readonly unknown[], categories = false): Promise<string[]> {
  const path = await file(lines);
  const error = await readRecordFile(path, type, { categories }).then(
    () => assert.fail('accepted'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof InputError);
  return error.problems.map(({ where, message }) => `${where.replace(path, '')} ${message}`);
}

test('the four types are read, plain and gzip, with what they may lack', async () => {
  const lm = { context: 'a', continuation: 'b', category: 'c' };
  assert.deepEqual(await readRecordFile(await file([lm, '']), 'language_modeling', { categories: true }), [
    lm,
  ]);
  const choice = { query: '', choices: ['x', 'y', 'z'], gold: 2 };
  const zipped = join(folder, 'zipped');
  await writeFile(zipped, gzipSync(JSON.stringify(choice)));
  assert.deepEqual(await readRecordFile(zipped, 'multiple_choice'), [choice]);
  assert.deepEqual(
    await readRecordFile(await file([{ context_options: ['x', 'y'], continuation: 'z', gold: 0 }]), 'schema'),
    [{ contextOptions: ['x', 'y'], continuation: 'z', gold: 0 }],
  );
  assert.deepEqual(
    await readRecordFile(await file([{ context: 'q', answer: 'a\ud83d' }]), 'generation_task_with_answers'),
    [{ context: 'q', answer: 'a\ufffd', aliases: [], chainOfThought: '' }],
  );
});

test('every fault of a file is reported with its line', async () => {
  assert.deepEqual(
    await faults('multiple_choice', [
      { query: 'q', choices: ['a', 'b'], gold: 0 },
      { query: 'q', choices: ['a', 'b'], gold: 2 },
      { query: 4, choices: ['a'], gold: 0 },
      { query: 'q', choices: ['a', null], gold: '1' },
      { query: 'q', choices: ['a', ' '], gold: 1.5 },
      { query: 'q', gold: -1 },
      '{"query": ',
      '[1]',
    ]).then(found => found.map(text => text.replace(/not valid JSON.*/, 'not valid JSON'))),
    [
      ':7 not valid JSON',
      ':8 expected a JSON object, found a list of 1',
      ":2 'gold' is 2, but there are 2 to choose from, counted from 0",
      ":3 'choices' lists 1 texts, expected 2 to 10000",
      ":3 expected 'query' to be a text, found the number 4",
      ":4 expected a text in 'choices', found null",
      ':4 expected \'gold\' to be a whole number from 0 to 1, found the text "1"',
      ":5 'choices' holds an empty text",
      ":5 expected 'gold' to be a whole number from 0 to 1, found the number 1.5",
      ":6 has no 'choices'",
      ":6 expected 'gold' to be a whole number from 0 to 1, found the number -1",
    ],
  );
  assert.deepEqual(
    await faults('language_modeling', [{ context: 'a' }, { context: 'a', continuation: ' ', category: 1 }]),
    [
      ":1 expected 'continuation' to be a text, found nothing",
      ":2 'continuation' is empty: there is nothing to predict",
      ":2 expected 'category' to be a text, found the number 1",
    ],
  );
  assert.deepEqual(await faults('schema', [{ context_options: 'ab', continuation: 'c', gold: 0 }]), [
    ':1 expected \'context_options\' to be a list of texts, found the text "ab"',
  ]);
  assert.deepEqual(
    await faults('generation_task_with_answers', [{ context: 'q', answer: '', aliases: [1] }]),
    [
      ":1 'answer' is empty: there is nothing to predict",
      ":1 expected a text in 'aliases', found the number 1",
    ],
  );
  assert.deepEqual(await faults('language_modeling', [{ context: 'a', continuation: 'b' }], true), [
    ":1 has no 'category', and the task says has_categories",
  ]);
  assert.deepEqual(await faults('schema', []), [' holds no record']);
});

test('damaged and foreign files end in an error', async () => {
  const path = join(folder, 'damaged');
  await writeFile(path, gzipSync('{"context":"a","continuation":"b"}\n').subarray(0, 30));
  await assert.rejects(readRecordFile(path, 'language_modeling'), InputError);
  await writeFile(path, Uint8Array.of(0x7b, 0xff, 0xfe, 0x0a));
  await assert.rejects(readRecordFile(path, 'language_modeling'), /not valid UTF-8/);
  await assert.rejects(readRecordFile(join(folder, 'none'), 'schema'), /no such file/);
});
