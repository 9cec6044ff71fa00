/** Blanks as Python's `str.strip` and `str.split` know them, which is not quite what `trim` and `\s` mean in JavaScript. */

const BLANK = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const LEADING = new RegExp(`^${BLANK}+`);
const RUNS = new RegExp(`${BLANK}+`, 'g');
const ONE = new RegExp(BLANK);

export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ONE.test(text[end - 1]!)) end--; // a pattern anchored at the end takes quadratic time on long runs inside
  return text.slice(0, end);
}

export function strip(text: string): string {
  return stripEnd(text).replace(LEADING, '');
}

/** Runs of blanks become one space, those at the ends nothing. */
export function squeeze(text: string): string {
  return strip(text).replaceAll(RUNS, ' ');
}
