/** Parsers for option values; commander calls them and reports what they throw as wrong usage. */
import { InvalidArgumentError } from 'commander';

/** A finite number: `2e12`, `0.4`, `1_000`. */
export function number(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (text.trim() === '' || !Number.isFinite(value))
    throw new InvalidArgumentError('expected a number, such as 2e12 or 0.4');
  return value;
}

export function positive(text: string): number {
  const value = number(text);
  if (value <= 0) throw new InvalidArgumentError('expected a number above 0');
  return value;
}

/** A number of at least `least`. */
export function atLeast(least: number): (text: string) => number {
  return between(least, Number.POSITIVE_INFINITY);
}

/** A number from `least` to `most`. */
export function between(least: number, most: number): (text: string) => number {
  return text => {
    const value = number(text);
    if (value >= least && value <= most) return value;
    const range = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`expected a number ${range}`);
  };
}

/** A number between 0 and 1, both left out. */
export function share(text: string): number {
  const value = number(text);
  if (value <= 0 || value >= 1) throw new InvalidArgumentError('expected a number between 0 and 1');
  return value;
}

/** A whole number of at least `least`. */
export function integer(least: number): (text: string) => number {
  return text => {
    const value = number(text);
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`expected a whole number of at least ${least}`);
    return value;
  };
}

/** For options that may be given several times. */
export function collect(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text];
}

/** Names separated by commas. */
export function names(text: string): readonly string[] {
  return text.split(',').map(name => name.trim());
}
