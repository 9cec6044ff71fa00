/**
 * Run files, parsed from bytes: TREC's six columns (`query Q0 document rank score tag`, ranks from 0, 1 or all 0), or three columns
 * (`query document score`, Tevatron's; `query document rank`, MS MARCO's, if the caller says so). Plain or gzip.
 */
import { isUtf8 } from 'node:buffer';
import { stat } from 'node:fs/promises';
import { decodeUtf8, InputError, Problems } from '../base/index.ts';
import { wholeLines } from './bytelines.ts';
import { parseCount, parseDecimal } from './decimals.ts';
import { equalBytes } from './ids.ts';
import type { Hit } from './ranking.ts';
import { type Run, RunBuilder } from './run.ts';

export interface RunOptions {
  /** What the third of three columns holds. Unsaid, scores are assumed, and a column that counts 1, 2, 3, ... is refused as ambiguous. */
  readonly thirdColumn?: 'scores' | 'ranks' | undefined;
  /** Round scores to single precision before ranking: what trec_eval before 9.0.8 and pytrec_eval compare. */
  readonly float32?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RunFile {
  readonly run: Run;
  /** Oddities that leave the numbers well defined, in sentences. */
  readonly warnings: readonly string[];
}

/**
 * Reads a run. Only scores order documents (`ranking.ts`); the rank column is compared with them, and a contradiction is a warning.
 * Refused, all with their lines: wrong numbers of columns, scores that are no finite number, a document twice for one query, invalid UTF-8.
 * The first line decides: if tabs alone give the right number of columns they divide them, and ids may hold blanks; else any blanks do. Lines that begin with `#` are comments.
 */
export async function readRun(path: string, options: RunOptions = {}): Promise<RunFile> {
  const parser = new RunParser(path, options);
  const size = (await stat(path).catch(() => undefined))?.size ?? 0; // of what can not be read, `wholeLines` says why
  for await (const lines of wholeLines(path, options.signal)) {
    parser.parse(lines);
    parser.reserve(size);
  }
  return parser.finish();
}

/** The lines of one ranking in a run file: six columns, ranks from 1, scores with all their digits. Ids with blanks need `separator` to be a tab. */
export function runLines(queryId: string, hits: readonly Hit[], tag: string, separator = ' '): string {
  let lines = '';
  for (let i = 0; i < hits.length; i++) {
    const { id, score } = hits[i]!;
    lines += `${[queryId, 'Q0', id, i + 1, score, tag].join(separator)}\n`;
  }
  return lines;
}

/** A blank, as every tool expects, unless an id holds one: then a tab, which isoflop reads and trec_eval does not. */
export function runSeparator(ids: Iterable<string>): ' ' | '\t' {
  for (const id of ids) if (/\s/.test(id)) return '\t';
  return ' ';
}

const NEWLINE = 10;
const TAB = 9;
const CARRIAGE_RETURN = 13;
const BLANK = 32;
const HASH = 35;

interface Layout {
  readonly columns: 3 | 6;
  /** Places of the document, the score and the rank (-1: there is none). */
  readonly document: number;
  readonly score: number;
  readonly rank: number;
  /** May lines be tried as `#usualRow`s? */
  readonly usual: boolean;
  readonly split: (bytes: Uint8Array, at: number, bounds: Int32Array) => number;
}

class RunParser {
  readonly #path: string;
  readonly #thirdColumn: 'scores' | 'ranks' | undefined;
  readonly #float32: boolean;
  readonly #builder: RunBuilder;
  readonly #problems = new Problems();
  readonly #bounds = newBounds();
  #layout: Layout | undefined;
  #line = 0;
  #rows = 0;
  #bytes = 0;
  #reserved = false;
  // The row before, to notice the next query, contradictory ranks, and a third column that counts.
  #queryBytes: Uint8Array = new Uint8Array(0);
  #query = -1;
  #score = 0;
  #rank = -1;
  #counts = true;
  #contradictions = 0;
  #contradictionLine = 0;

  constructor(path: string, options: RunOptions) {
    this.#path = path;
    this.#thirdColumn = options.thirdColumn;
    this.#float32 = options.float32 === true;
    this.#builder = new RunBuilder(path);
  }

  /** Takes whole lines; the last one may lack its end. */
  parse(bytes: Buffer): void {
    if (!isUtf8(bytes)) this.#refuseEncoding(bytes);
    this.#bytes += bytes.length;
    let at = this.#line === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length) {
      this.#line++;
      const next = this.#layout?.usual ? this.#usualRow(bytes, at) : -1;
      if (next >= 0) {
        at = next;
        continue;
      }
      this.#layout ??= this.#layoutOf(bytes, at);
      const fields = (this.#layout?.split ?? splitBlanks)(bytes, at, this.#bounds);
      if (fields > 0 && bytes[at] !== HASH) this.#row(bytes, fields, this.#layout!);
      at = this.#bounds[LINE_END]! + 1;
    }
  }

  /** Foresees a file of this many bytes from the lines seen so far. Too little for a gzip file, whose arrays then grow as they must. */
  reserve(size: number): void {
    if (this.#reserved) return;
    this.#reserved = true;
    const share = (1.05 * size) / this.#bytes;
    this.#builder.reserve(Math.ceil(share * this.#rows), Math.ceil(share * this.#builder.textBytes));
  }

  /**
   * Takes the line at `at` if it is what nearly every line is: six columns, one blank apart, the query of the line before. Returns where the
   * next line begins, or -1 if this one needs to be looked at closely: every check lives there, and here only what they let pass.
   */
  #usualRow(bytes: Uint8Array, at: number): number {
    const query = this.#queryBytes;
    let i = at;
    for (let k = 0; k < query.length; k++, i++) if (bytes[i] !== query[k]) return -1;
    const q0 = i + 1;
    i = fieldEnd(bytes, q0);
    const document = i + 1;
    const documentEnd = fieldEnd(bytes, document);
    const rank = documentEnd + 1;
    const rankEnd = fieldEnd(bytes, rank);
    const score = rankEnd + 1;
    const scoreEnd = fieldEnd(bytes, score);
    const end = fieldEnd(bytes, scoreEnd + 1);
    const blanks = bytes[q0 - 1] === BLANK && bytes[i] === BLANK && bytes[documentEnd] === BLANK;
    if (!blanks || bytes[rankEnd] !== BLANK || bytes[scoreEnd] !== BLANK || bytes[end] !== NEWLINE) return -1;
    if (i === q0 || documentEnd === document || rankEnd === rank || end === scoreEnd + 1) return -1;
    const value = parseDecimal(bytes, score, scoreEnd);
    if (!Number.isFinite(value)) return -1;
    this.#compareRank(parseCount(bytes, rank, rankEnd), value, true);
    this.#add(bytes, document, documentEnd, value);
    return end + 1;
  }

  #row(bytes: Uint8Array, fields: number, layout: Layout): void {
    const bounds = this.#bounds;
    if (fields !== layout.columns) {
      this.#refuse(`expected ${layout.columns} columns, found ${fields > 6 ? 'more' : fields}`);
      return;
    }
    const score = parseDecimal(bytes, bounds[2 * layout.score]!, bounds[2 * layout.score + 1]!);
    if (!Number.isFinite(score)) {
      this.#refuse(`expected a finite score, found '${this.#field(bytes, layout.score)}'`);
      return;
    }
    const [from, to] = [bounds[2 * layout.document]!, bounds[2 * layout.document + 1]!];
    if (from === to || bounds[0] === bounds[1]) {
      this.#refuse('an id is empty');
      return;
    }
    const same = equalBytes(this.#queryBytes, 0, this.#queryBytes.length, bytes, bounds[0]!, bounds[1]!);
    if (!same) this.#beginQuery(bytes);
    const { rank } = layout;
    if (rank < 0) this.#counts &&= score === (same ? this.#score + 1 : 1);
    this.#compareRank(
      rank < 0 ? -1 : parseCount(bytes, bounds[2 * rank]!, bounds[2 * rank + 1]!),
      score,
      same,
    );
    this.#add(bytes, from, to, this.#thirdColumn === 'ranks' && rank < 0 ? -score : score);
  }

  #add(bytes: Uint8Array, from: number, to: number, score: number): void {
    this.#builder.addBytes(
      this.#query,
      bytes,
      from,
      to,
      this.#float32 ? Math.fround(score) : score,
      this.#line,
    );
    this.#rows++;
  }

  #beginQuery(bytes: Uint8Array): void {
    this.#queryBytes = new Uint8Array(bytes.subarray(this.#bounds[0], this.#bounds[1])); // a copy: blocks are reused
    this.#query = this.#builder.query(this.#field(bytes, 0));
  }

  /** Between neighbours in the file, a better rank must not have the lower score. -1: there is no rank. */
  #compareRank(rank: number, score: number, same: boolean): void {
    if (same && rank >= 0 && this.#rank >= 0 && (rank - this.#rank) * (score - this.#score) > 0) {
      if (this.#contradictions++ === 0) this.#contradictionLine = this.#line;
    }
    this.#rank = rank;
    this.#score = score;
  }

  #layoutOf(bytes: Buffer, at: number): Layout | undefined {
    const end = bytes.indexOf(NEWLINE, at);
    const line = bytes.toString('utf8', at, end < 0 ? bytes.length : end);
    if (line.trim() === '' || line.startsWith('#')) return undefined;
    const tabbed = line.split('\t').length;
    const tabs = tabbed === 6 || tabbed === 3;
    const columns = tabs ? tabbed : line.trim().split(/\s+/).length;
    const split = tabs ? splitTabs : splitBlanks;
    if (columns === 6) return { columns, document: 2, rank: 3, score: 4, split, usual: !tabs };
    if (columns === 3) return { columns, document: 1, rank: -1, score: 2, split, usual: false };
    throw new InputError(
      `${this.#path}:${this.#line}`,
      `expected 'query Q0 document rank score tag' or 'query document score', found ${columns} columns`,
    );
  }

  #field(bytes: Uint8Array, place: number): string {
    return Buffer.from(bytes.subarray(this.#bounds[2 * place], this.#bounds[2 * place + 1])).toString('utf8');
  }

  #refuse(message: string): void {
    this.#problems.add(`${this.#path}:${this.#line}`, message);
  }

  #refuseEncoding(bytes: Buffer): never {
    for (let at = 0, line = this.#line + 1; ; line++) {
      const end = bytes.indexOf(NEWLINE, at);
      decodeUtf8(bytes.subarray(at, end < 0 ? bytes.length : end), `${this.#path}:${line}`); // throws at the bad line
      at = end + 1;
    }
  }

  finish(): RunFile {
    this.#problems.throwIfAny();
    if (this.#rows === 0) throw new InputError(this.#path, 'holds no rankings');
    const ambiguous = this.#layout?.columns === 3 && this.#thirdColumn === undefined && this.#counts;
    if (ambiguous && this.#rows > 1)
      throw new InputError(
        this.#path,
        'the third column counts 1, 2, 3, ...: say whether it holds ranks or scores (--third-column ranks|scores)',
      );
    return { run: this.#builder.build(), warnings: this.#warnings() };
  }

  #warnings(): string[] {
    if (this.#contradictions === 0) return [];
    const places = `${this.#contradictions} place${this.#contradictions === 1 ? '' : 's'}, first at line ${this.#contradictionLine}`;
    return [
      `${this.#path}: the ranks contradict the scores (${places}); scores decide, larger ones first. Are they distances?`,
    ];
  }
}

/** Begins and ends of up to seven fields (one too many is enough to know), then the place of the line's end. */
const MOST_FIELDS = 7;
const LINE_END = 2 * MOST_FIELDS;
const newBounds = () => new Int32Array(LINE_END + 1);

/** The place after the field that begins at `at`. */
function fieldEnd(bytes: Uint8Array, at: number): number {
  let i = at;
  while (bytes[i]! > BLANK) i++;
  return i;
}

/** Fields between blanks of any kind, as trec_eval divides them. Returns their number, MOST_FIELDS standing for that many or more. */
function splitBlanks(bytes: Uint8Array, at: number, bounds: Int32Array): number {
  const { length } = bytes;
  let fields = 0;
  let i = at;
  for (;;) {
    while (i < length && bytes[i]! <= BLANK && bytes[i] !== NEWLINE) i++;
    if (i >= length || bytes[i] === NEWLINE) break;
    const begin = i;
    while (i < length && bytes[i]! > BLANK) i++;
    if (fields === MOST_FIELDS) continue;
    bounds[2 * fields] = begin;
    bounds[2 * fields + 1] = i;
    fields++;
  }
  bounds[LINE_END] = i;
  return fields;
}

/** Fields between single tabs. An empty line has none. */
function splitTabs(bytes: Uint8Array, at: number, bounds: Int32Array): number {
  const newline = bytes.indexOf(NEWLINE, at);
  const next = newline < 0 ? bytes.length : newline;
  const end = next > at && bytes[next - 1] === CARRIAGE_RETURN ? next - 1 : next;
  bounds[LINE_END] = next;
  let fields = 0;
  for (let begin = at, i = at; i <= end && at < end && fields < MOST_FIELDS; i++) {
    if (i < end && bytes[i] !== TAB) continue;
    bounds[2 * fields] = begin;
    bounds[2 * fields + 1] = i;
    begin = i + 1;
    fields++;
  }
  return fields;
}
