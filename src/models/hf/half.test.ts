import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from './half.ts';

const everyPattern = Uint16Array.from({ length: 65_536 }, (_, i) => i);

const formats = [
  {
    name: 'binary16',
    decode: decodeFloat16,
    encode: encodeFloat16,
    fraction: 10,
    least: -24,
    largest: 65_504,
  },
  {
    name: 'bfloat16',
    decode: decodeBfloat16,
    encode: encodeBfloat16,
    fraction: 7,
    least: -133,
    largest: 2 ** 127 * (2 - 2 ** -7),
  },
];

for (const { name, decode, encode, fraction, least, largest } of formats) {
  const numbers = new Float32Array(65_536);
  decode(everyPattern, numbers);

  test(`${name}: every number survives being read and written`, () => {
    const back = encode(numbers);
    everyPattern.forEach(pattern => {
      const [before, after] = [numbers[pattern]!, back[pattern]!];
      if (Number.isNaN(before)) assert.ok((after & 0x7fff) > (name === 'binary16' ? 0x7c00 : 0x7f80));
      else assert.equal(after, pattern, String(before));
    });
  });

  test(`${name}: numbers grow with their patterns, and the known ones stand where they should`, () => {
    const infinity = encode(Float32Array.of(Number.POSITIVE_INFINITY))[0]!;
    for (let i = 1; i <= infinity; i++) assert.ok(numbers[i]! > numbers[i - 1]!);
    assert.equal(numbers[1], 2 ** least);
    assert.equal(numbers[infinity - 1], largest);
    assert.equal(numbers[encode(Float32Array.of(1))[0]! + 1], 1 + 2 ** -fraction);
  });

  test(`${name}: rounds to the nearest number, ties to the even pattern`, () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), x => {
        const pattern = encode(Float32Array.of(x))[0]!;
        const rounded = numbers[pattern]!;
        if (Math.abs(rounded) === Number.POSITIVE_INFINITY) {
          assert.ok(Math.abs(x) >= largest + largest * 2 ** (-fraction - 2)); // half a step beyond the largest
          return;
        }
        const below = numbers[pattern & 0x7fff ? pattern - 1 : pattern]!;
        const above = numbers[pattern + 1]!;
        for (const other of [below, above]) {
          if (!Number.isFinite(other)) continue;
          const [own, its] = [Math.abs(x - rounded), Math.abs(x - other)];
          assert.ok(own < its || (own === its && (pattern % 2 === 0 || other === rounded)), `${x}`);
        }
      }),
      { numRuns: 2000 },
    );
  });
}
