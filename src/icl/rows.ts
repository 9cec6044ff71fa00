/** Which sequences the model reads: causal attention lets one row answer for all its beginnings. */
import type { ScoreRequest } from './encode.ts';

/** A token asked about: request `request`, whose token `token` is predicted at place `at` of the row. */
export interface Read {
  readonly request: number;
  readonly token: number;
  readonly at: number;
}

/** What the model reads, and the places that are looked at. The last token of a request is only predicted, never read. */
export interface Row {
  readonly inputs: Int32Array;
  readonly reads: readonly Read[];
}

/**
 * Rows for the requests of one item, numbered from `first`. A request whose inputs begin another's needs no row of its own: answers of one
 * token after the same question (A, B, C, D) cost one pass instead of four, and equal answers have equal scores, bit for bit.
 */
export function rowsOf(requests: readonly ScoreRequest[], first: number): Row[] {
  const order = requests
    .map((_, i) => i)
    .sort((a, b) => length(requests[b]!) - length(requests[a]!) || a - b);
  const rows: { readonly inputs: Int32Array; readonly reads: Read[] }[] = [];
  for (const i of order) {
    const { tokens, start } = requests[i]!;
    const inputs = tokens.subarray(0, -1);
    let row = rows.find(other => begins(inputs, other.inputs));
    if (row === undefined) {
      row = { inputs, reads: [] };
      rows.push(row);
    }
    for (let at = start - 1; at < inputs.length; at++)
      row.reads.push({ request: first + i, token: tokens[at + 1]!, at });
  }
  return rows;
}

const length = ({ tokens }: ScoreRequest): number => tokens.length;

function begins(short: Int32Array, long: Int32Array): boolean {
  for (let i = 0; i < short.length; i++) if (short[i] !== long[i]) return false;
  return true;
}
