/** Canonical JSON: sorted keys, so that equal values have equal text and equal hashes. */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, sorted(v)]));
}

/**
 * One text per value: keys sorted by code unit, undefined dropped.
 * A number JSON cannot hold (NaN, an infinity) throws a `RangeError` instead of silently becoming `null`.
 */
export function canonicalJson(value: unknown, indent?: number): string {
  return JSON.stringify(sorted(value), refuseNonFinite, indent);
}

/** JSON for files and for `--json`: keys in the order written, two spaces, a final newline, no silent `null` for NaN. */
export function prettyJson(value: unknown): string {
  return `${JSON.stringify(value, refuseNonFinite, 2)}\n`;
}

function refuseNonFinite(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new RangeError(`${key || 'value'} is ${value}: JSON has no such number`);
  return value;
}
