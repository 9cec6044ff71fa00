import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textTable } from './index.ts';

test('numbers are set flush right, words flush left, and no line ends in blanks', () => {
  const table = textTable(
    ['measure', 'value', 'note'],
    [
      ['nDCG@10', '0.5', ''],
      ['AP', '12.25', 'x'],
    ],
  );
  assert.equal(table, 'measure  value  note\nnDCG@10    0.5\nAP       12.25  x\n');
  assert.equal(textTable(['only', 'header'], []), 'only  header\n');
});
