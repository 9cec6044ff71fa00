import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { byteLevelPreTokenizer } from 'tokenizers';
import { BYTE_TO_CHAR } from './byte-alphabet.ts';
import { wordEnd } from './pre-tokenize.ts';
import { anyString, wellFormed } from './testing.ts';

const reference = byteLevelPreTokenizer(false, true);
const referenceWords = (text: string) => reference.preTokenizeString(text).map(([word]) => word);

function words(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = wordEnd(bytes, at, bytes.length);
    found.push([...bytes.subarray(at, end)].map(byte => BYTE_TO_CHAR[byte]!).join(''));
    at = end;
  }
  return found;
}

test('text is cut as the package cuts it', () => {
  for (const text of ["it's they'll 'S I'd've", 'a  b   c \n\n d\t', ' ', '  ', "!!'s ''t", 'x²½ Ⅷ 12a'])
    assert.deepEqual(words(text), referenceWords(text), JSON.stringify(text));
  fc.assert(
    fc.property(anyString, text => {
      assert.deepEqual(words(text), referenceWords(wellFormed(text)));
    }),
    { numRuns: 2000 },
  );
});

test('every code point has the class that the package gives it', () => {
  const runs = { a: '', '1': '', '!': '', space: '' };
  const bytes = new Uint8Array(5);
  for (let code = 0; code < 0x110000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    const end = 1 + new TextEncoder().encodeInto(character, bytes.subarray(1)).written;
    const joins = (before: string) => {
      bytes[0] = before.charCodeAt(0);
      return wordEnd(bytes, 0, end) === end;
    };
    const kind = (['a', '1', '!'] as const).find(joins) ?? 'space';
    runs[kind] += character;
  }
  for (const [kind, run] of Object.entries(runs))
    assert.equal(referenceWords(run).length, 1, `all ${run.length} of kind ${kind} form one run`);
});
