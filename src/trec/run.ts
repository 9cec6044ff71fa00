/**
 * Rankings of many queries in typed arrays: about 30 bytes a retrieved document, no object and no string each, so that a run of millions
 * of lines is read and scored in a fraction of a second. Built row by row (from a file or from a search), then grouped and ranked once.
 */
import { InputError, InternalError, Problems, startOf, withRoom } from '../base/index.ts';
import { copyAndHash, equalBytes, type HashedIds, IdTable } from './ids.ts';
import { sortRanking } from './ranking.ts';

const decoder = new TextDecoder();
const encoder = new TextEncoder();
const LARGEST_TEXT = 2 ** 32 - 1;

/** All rankings. Rows are retrieved documents; the ranked rows of query q are `rows[starts[q]] .. rows[starts[q+1] - 1]`, best first. */
export class Run implements HashedIds {
  /** Where it came from, or its tag: names it in messages and tables. */
  readonly name: string;
  readonly queryIds: readonly string[];
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
  /** By row, not by rank. */
  readonly scores: Float64Array;
  /** Hash of the id's bytes (`hashBytes`), by row. */
  readonly hashes: Uint32Array;
  /** The ids of row r are the bytes `ends[r-1] .. ends[r]` of `text`. */
  readonly text: Uint8Array;
  readonly ends: Uint32Array;

  constructor(parts: RunParts) {
    this.name = parts.name;
    this.queryIds = parts.queryIds;
    this.starts = parts.starts;
    this.rows = parts.rows;
    this.scores = parts.scores;
    this.hashes = parts.hashes;
    this.text = parts.text;
    this.ends = parts.ends;
  }

  /** The number of documents retrieved for query q. */
  depth(q: number): number {
    return this.starts[q + 1]! - this.starts[q]!;
  }

  /** The rows of query q, best first. */
  ranked(q: number): Uint32Array {
    return this.rows.subarray(this.starts[q]!, this.starts[q + 1]!);
  }

  /** The document id of a row. */
  documentId(row: number): string {
    return decoder.decode(this.text.subarray(this.startOf(row), this.ends[row]!));
  }

  /** For each ranked document of query q, best first, its number in a table of ids, or -1. */
  findAll(q: number, table: IdTable): Int32Array {
    const rows = this.ranked(q);
    const found = new Int32Array(rows.length);
    table.findRows(this, rows, found);
    return found;
  }

  /** First byte of a row's document id in `text`. */
  startOf(row: number): number {
    return startOf(this.ends, row);
  }

  /** The ranking of query q as ids and scores, best first. */
  hits(q: number): { readonly id: string; readonly score: number }[] {
    return Array.from(this.ranked(q), row => ({ id: this.documentId(row), score: this.scores[row]! }));
  }
}

type RunParts = Pick<Run, 'name' | 'queryIds' | 'starts' | 'rows' | 'scores' | 'hashes' | 'text' | 'ends'>;

/** Collects rows in any order. */
export class RunBuilder {
  readonly #name: string;
  readonly #queries = new IdTable();
  #query = new Uint32Array(1 << 10);
  #scores = new Float64Array(1 << 10);
  #hashes = new Uint32Array(1 << 10);
  #ends = new Uint32Array(1 << 10);
  #lines = new Uint32Array(1 << 10);
  #text = new Uint8Array(1 << 14);
  #size = 0;
  #textSize = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Bytes of all ids added so far. */
  get textBytes(): number {
    return this.#textSize;
  }

  /** Makes room for about this many rows and bytes of ids, so that arrays need not be copied as they grow. */
  reserve(rows: number, textBytes: number): void {
    this.#grow(rows);
    this.#growText(Math.min(textBytes, LARGEST_TEXT));
  }

  /** The number of a query, by which `addBytes` names it. */
  query(id: string): number {
    return this.#queries.add(id);
  }

  /** The same for a query whose id is the bytes `from .. to`. */
  queryBytes(bytes: Uint8Array, from: number, to: number): number {
    return this.#queries.addBytes(bytes, from, to);
  }

  /** Adds one document: the bytes `from .. to` are its id; `line` is where it stands in its file (0 if in none). */
  addBytes(query: number, bytes: Uint8Array, from: number, to: number, score: number, line: number): void {
    const row = this.#size++;
    if (row === this.#scores.length) this.#grow(row + 1);
    const start = this.#textSize;
    const end = start + to - from;
    if (end > this.#text.length) this.#growText(end);
    this.#hashes[row] = copyAndHash(bytes, from, to, this.#text, start);
    this.#textSize = end;
    this.#query[row] = query;
    this.#scores[row] = score;
    this.#ends[row] = end;
    this.#lines[row] = line;
  }

  /** Adds a ranking that is in memory. Scores must be finite. */
  addRanking(queryId: string, ids: readonly string[], scores: ArrayLike<number>): void {
    const query = this.query(queryId);
    for (let i = 0; i < ids.length; i++) {
      const bytes = encoder.encode(ids[i]!);
      const score = scores[i]!;
      if (!Number.isFinite(score))
        throw new InternalError(`score ${score} for '${ids[i]}', query '${queryId}'`);
      this.addBytes(query, bytes, 0, bytes.length, score, 0);
    }
  }

  #growText(bytes: number): void {
    if (bytes > LARGEST_TEXT)
      throw new InputError(
        this.#name,
        'has more than 4 GiB of document ids: split it by query, and score the parts',
      );
    this.#text = withRoom(this.#text, bytes);
  }

  #grow(length: number): void {
    this.#query = withRoom(this.#query, length);
    this.#scores = withRoom(this.#scores, length);
    this.#hashes = withRoom(this.#hashes, length);
    this.#ends = withRoom(this.#ends, length);
    this.#lines = withRoom(this.#lines, length);
  }

  /** Groups rows by query and ranks them. Throws an `InputError` naming every document that a query has twice. */
  build(): Run {
    const { starts, rows } = groupRows(this.#query.subarray(0, this.#size), this.#queries.size);
    const run = new Run({
      name: this.#name,
      queryIds: Array.from({ length: this.#queries.size }, (_, q) => this.#queries.at(q)),
      starts,
      rows,
      scores: this.#scores.subarray(0, this.#size),
      hashes: this.#hashes.subarray(0, this.#size),
      text: this.#text.subarray(0, this.#textSize),
      ends: this.#ends.subarray(0, this.#size),
    });
    this.#refuseDuplicates(run);
    const compare = (a: number, b: number) => compareTied(run, a, b);
    for (let q = 0; q < run.queryIds.length; q++) sortRanking(run.ranked(q), run.scores, compare);
    return run;
  }

  #refuseDuplicates(run: Run): void {
    const problems = new Problems();
    const seen = new SeenRows(run);
    for (let q = 0; q < run.queryIds.length; q++) {
      seen.clear(run.depth(q));
      for (let i = run.starts[q]!; i < run.starts[q + 1]!; i++) {
        const row = run.rows[i]!;
        const earlier = seen.add(row);
        if (earlier < 0) continue;
        const where = this.#lines[row]! > 0 ? `${run.name}:${this.#lines[row]}` : run.name;
        const first = this.#lines[row]! > 0 ? ` (first on line ${this.#lines[earlier]})` : '';
        problems.add(where, `query '${run.queryIds[q]}' has document '${run.documentId(row)}' twice${first}`);
      }
    }
    problems.throwIfAny();
  }
}

/** Counting sort of rows by query: stable, and the identity for files whose queries stand together. */
function groupRows(queryOf: Uint32Array, queries: number): { starts: Uint32Array; rows: Uint32Array } {
  const starts = new Uint32Array(queries + 1);
  for (let row = 0; row < queryOf.length; row++) starts[queryOf[row]! + 1]!++;
  for (let q = 0; q < queries; q++) starts[q + 1]! += starts[q]!;
  const next = starts.slice(0, queries);
  const rows = new Uint32Array(queryOf.length);
  for (let row = 0; row < queryOf.length; row++) rows[next[queryOf[row]!]!++] = row;
  return { starts, rows };
}

/** Equal scores: the document with the larger id, by bytes, ranks first. */
function compareTied(run: Run, a: number, b: number): number {
  const { text } = run;
  let [i, j] = [run.startOf(a), run.startOf(b)];
  const [iEnd, jEnd] = [run.ends[a]!, run.ends[b]!];
  for (; i < iEnd && j < jEnd; i++, j++) if (text[i] !== text[j]) return text[j]! - text[i]!;
  return jEnd - j - (iEnd - i);
}

/** A set of rows by document id, emptied for each query. */
class SeenRows {
  readonly #run: Run;
  #slots = new Int32Array(0);
  #mask = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  clear(capacity: number): void {
    const length = 2 ** Math.ceil(Math.log2(2 * capacity + 2));
    if (length > this.#slots.length) this.#slots = new Int32Array(length);
    else this.#slots.fill(0, 0, length);
    this.#mask = length - 1;
  }

  /** The row with this document that was added before, or -1. */
  add(row: number): number {
    const { hashes, text, ends } = this.#run;
    const hash = hashes[row]!;
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const other = this.#slots[slot]! - 1;
      if (other < 0) {
        this.#slots[slot] = row + 1;
        return -1;
      }
      const [from, otherFrom] = [this.#run.startOf(row), this.#run.startOf(other)];
      if (hashes[other] === hash && equalBytes(text, from, ends[row]!, text, otherFrom, ends[other]!))
        return other;
    }
  }
}
