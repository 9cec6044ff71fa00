/** Half-precision numbers: IEEE 754 binary16 (`F16`) and bfloat16 (`BF16`), to and from float32. Typed arrays are little-endian wherever the engine runs. */

/** The value of each of the 65,536 patterns of binary16. */
let halfValues: Float32Array | undefined;

function halfTable(): Float32Array {
  halfValues ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfValue(bits));
  return halfValues;
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Every binary16 and bfloat16 number is a float32, so reading is exact. */
export function decodeFloat16(bits: Uint16Array, into: Float32Array): void {
  const table = halfTable();
  for (let i = 0; i < bits.length; i++) into[i] = table[bits[i]!]!;
}

export function decodeBfloat16(bits: Uint16Array, into: Float32Array): void {
  const words = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16; // bfloat16 is the upper half of a float32
}

/** Rounds to nearest, ties to even; what is too large becomes an infinity. */
export function encodeFloat16(numbers: Float32Array): Uint16Array {
  const words = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const bits = new Uint16Array(numbers.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halfBits(numbers[i]!, words[i]!);
  return bits;
}

function halfBits(value: number, word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const size = word & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00; // NaN
  if (size >= 0x47800000) return sign | 0x7c00; // 2^16 and above
  if (size < 0x38800000) return sign | roundHalfEven(Math.abs(value) * 2 ** 24); // below 2^-14: multiples of 2^-24
  const rounded = size + 0xfff + ((size >>> 13) & 1); // may carry into the exponent, up to infinity
  return sign | ((rounded - (112 << 23)) >>> 13);
}

function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}

/** Rounds to nearest, ties to even; what is too large becomes an infinity. */
export function encodeBfloat16(numbers: Float32Array): Uint16Array {
  const words = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const bits = new Uint16Array(numbers.length);
  for (let i = 0; i < bits.length; i++) {
    const word = words[i]!;
    const notANumber = (word & 0x7fffffff) > 0x7f800000;
    bits[i] = notANumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}
