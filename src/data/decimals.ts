/** Decimal numbers read straight from bytes, correctly rounded, and without making a string but in rare cases. */

const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`)); // all exact
const LARGEST_EXACT = (Number.MAX_SAFE_INTEGER - 9) / 10; // below it one more digit still fits into 53 bits
const MORE_DIGITS = 6;
const decoder = new TextDecoder('latin1');

/**
 * The number that the bytes `from .. to` spell: digits with optional sign, point and exponent. NaN for anything else, the words
 * `nan` and `inf` included. Numbers of up to 53 bits of digits and 10^±22 take one operation on exact numbers, which rounds correctly
 * (Clinger 1990); those with a few digits more, as Python prints them, a division in doubled precision; the rest goes through `Number`.
 */
export function parseDecimal(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  const sign = bytes[at] === 45 /* - */ ? -1 : 1;
  if (bytes[at] === 45 || bytes[at] === 43 /* + */) at++;
  let digits = 0;
  let mantissa = 0; // the leading digits,
  let more = 0; // those that do not fit,
  let moreDigits = 0;
  let scale = 0; // and the power of ten that both are to be multiplied with
  let seenPoint = false;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte >= 48 && byte <= 57) {
      digits++;
      if (moreDigits === 0 && mantissa <= LARGEST_EXACT) mantissa = 10 * mantissa + (byte - 48);
      else if (++moreDigits <= MORE_DIGITS) more = 10 * more + (byte - 48);
      if (seenPoint) scale--;
    } else if (byte === 46 /* . */ && !seenPoint) seenPoint = true;
    else break;
  }
  if (digits === 0) return Number.NaN;
  if (at < to) {
    const exponent = parseExponent(bytes, at, to);
    if (Number.isNaN(exponent)) return exponent;
    scale += exponent;
  }
  if (moreDigits === 0 && scale >= -22 && scale <= 22)
    return sign * (scale < 0 ? mantissa / POWERS_OF_TEN[-scale]! : mantissa * POWERS_OF_TEN[scale]!);
  if (moreDigits > 0 && moreDigits <= MORE_DIGITS && scale < 0 && scale >= -22) {
    const quotient = divideLong(mantissa, POWERS_OF_TEN[moreDigits]!, more, POWERS_OF_TEN[-scale]!);
    if (quotient !== undefined) return sign * quotient;
  }
  return Number(decoder.decode(bytes.subarray(from, to)));
}

/**
 * (a * b + c) / d, correctly rounded, for whole a < 2^53, c < b <= 10^6 and d <= 10^22; undefined if the rounding cannot be told.
 * The numerator is kept exactly as the sum of two doubles, the quotient's error is computed from the exact remainder.
 */
function divideLong(a: number, b: number, c: number, d: number): number | undefined {
  const product = a * b;
  const high = product + c;
  const low = c - (high - product) + productError(a, b, product); // whole numbers below 2^21: exact
  const quotient = high / d;
  const back = quotient * d;
  const remainder = high - back + (low - productError(quotient, d, back));
  const correction = remainder / d;
  const [least, most] = [quotient + correction * (1 - 1e-9), quotient + correction * (1 + 1e-9)];
  return least === most ? least : undefined; // rounding is monotone: what lies between rounds to the same
}

/** a * b - fl(a * b), exactly (Dekker 1971). */
function productError(a: number, b: number, product: number): number {
  const [scaledA, scaledB] = [134217729 * a, 134217729 * b]; // 2^27 + 1 splits 53 bits into halves
  const aHigh = scaledA - (scaledA - a);
  const bHigh = scaledB - (scaledB - b);
  const [aLow, bLow] = [a - aHigh, b - bHigh];
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** The value of `e-12`, or NaN if the bytes are no exponent. */
function parseExponent(bytes: Uint8Array, from: number, to: number): number {
  if ((bytes[from]! | 32) !== 101 /* e */) return Number.NaN;
  let at = from + 1;
  const sign = bytes[at] === 45 ? -1 : 1;
  if (bytes[at] === 45 || bytes[at] === 43) at++;
  if (at === to) return Number.NaN;
  let value = 0;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte < 48 || byte > 57) return Number.NaN;
    value = Math.min(100_000, 10 * value + (byte - 48));
  }
  return sign * value;
}

/** The whole number that the bytes spell, or -1 if they spell none or one beyond 2^31. */
export function parseCount(bytes: Uint8Array, from: number, to: number): number {
  if (from === to || to - from > 10) return -1;
  let value = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte < 48 || byte > 57) return -1;
    value = 10 * value + (byte - 48);
  }
  return value <= 0x7fffffff ? value : -1;
}
