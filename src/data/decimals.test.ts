import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCount, parseDecimal } from './decimals.ts';

function parsed(text: string): number {
  const bytes = Buffer.from(`x ${text} y`);
  return parseDecimal(bytes, 2, bytes.length - 2);
}

const digits = (least: number, most: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: least, maxLength: most });

test('what JavaScript prints comes back to the bit', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.double({ min: 0, max: 100, noNaN: true }),
      (wild, usual) => {
        assert.equal(parsed(String(wild)), wild + 0); // -0 is printed as 0
        assert.equal(parsed(String(usual)), usual);
        assert.equal(parsed(usual.toFixed(18)), Number(usual.toFixed(18)));
      },
    ),
    { numRuns: 5000 },
  );
});

test('digits of any number round as Number() rounds them', () => {
  const exponent = fc.oneof(
    fc.constant(''),
    fc.integer({ min: -40, max: 40 }).map(n => `e${n}`),
  );
  fc.assert(
    fc.property(fc.constantFrom('', '-', '+'), digits(0, 25), digits(0, 25), exponent, (sign, a, b, e) => {
      fc.pre(a.length + b.length > 0);
      const text = `${sign}${a}.${b}${e}`;
      assert.equal(parsed(text), Number(text), text);
    }),
    { numRuns: 20_000 },
  );
});

test('midpoints between doubles, and their neighbours, round to even', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2 ** 51, max: 2 ** 52 }), fc.integer({ min: 1, max: 9 }), (n, halvings) => {
      // (2n + 1) / 2^(halvings + 1) with n of 52 bits lies half way between two doubles once it needs 54 bits.
      const scale = 10n ** BigInt(halvings + 3);
      const middle = ((4n * BigInt(n) + 1n) * scale) / 2n ** BigInt(halvings + 2);
      for (const delta of [-1n, 0n, 1n]) {
        const text = String(middle + delta);
        const spelled = `${text.slice(0, -(halvings + 3))}.${text.slice(-(halvings + 3))}`;
        assert.equal(parsed(spelled), Number(spelled), spelled);
      }
    }),
    { numRuns: 5000 },
  );
});

test('anything else is not a number', () => {
  for (const text of [
    '',
    '.',
    '-',
    'e5',
    '1e',
    '1e+',
    'nan',
    'inf',
    '-Infinity',
    '0x10',
    '1,5',
    '1.2.3',
    '1_0',
    '--1',
  ])
    assert.ok(Number.isNaN(parsed(text)), text);
  assert.equal(parsed('1e999'), Number.POSITIVE_INFINITY);
  assert.equal(parsed('1e-999'), 0);
});

test('counts are whole numbers', () => {
  const count = (text: string) => parseCount(Buffer.from(text), 0, text.length);
  assert.deepEqual(['0', '12', '2147483647'].map(count), [0, 12, 2147483647]);
  for (const text of ['', '-1', '1.0', '2147483648', '99999999999', 'x']) assert.equal(count(text), -1, text);
});
