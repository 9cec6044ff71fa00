/**
 * Run files, parsed from bytes: TREC's six columns (`query Q0 document rank score tag`, ranks from 0, 1 or all 0), or three columns
 * (`query document score`, Tevatron's; `query document rank`, MS MARCO's, if the caller says so). Plain or gzip.
 */
import { isUtf8 } from 'node:buffer';
import { stat } from 'node:fs/promises';
import { decodeUtf8, InputError, Problems, readBytes } from '../base/index.ts';
import { parseCount, parseDecimal } from './decimals.ts';
import { equalBytes } from './ids.ts';
import type { Hit } from './ranking.ts';
import { type Run, RunBuilder } from './run.ts';

export interface RunOptions {
  /** What the third of three columns holds. Unsaid, scores are assumed, and a column that counts 1, 2, 3, ... is refused as ambiguous. */
  readonly thirdColumn?: 'scores' | 'ranks' | undefined;
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
 * The first line decides whether tabs or blanks divide the columns (with tabs, ids may hold blanks). Lines that begin with `#` are comments.
 */
export async function readRun(path: string, options: RunOptions = {}): Promise<RunFile> {
  const parser = new RunParser(path, options.thirdColumn);
  const size = (await stat(path).catch(() => undefined))?.size ?? 0; // of what can not be read, `readBytes` says why
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of readBytes(path, options.signal)) {
    const begin = chunk.indexOf(NEWLINE) + 1;
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    rest = Buffer.concat([rest, chunk.subarray(0, begin > 0 ? begin : chunk.length)]);
    if (rest.length > LONGEST_LINE) parser.refuseLine();
    if (begin === 0) continue;
    parser.parse(rest);
    parser.parse(chunk.subarray(begin, end));
    parser.reserve(size);
    rest = chunk.subarray(end);
  }
  parser.parse(rest);
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
const LONGEST_LINE = 1 << 20;

interface Layout {
  readonly columns: 3 | 6;
  /** Places of the document, the score and the rank (-1: there is none). */
  readonly document: number;
  readonly score: number;
  readonly rank: number;
  readonly split: (bytes: Uint8Array, at: number, bounds: Int32Array) => number;
}

class RunParser {
  readonly #path: string;
  readonly #thirdColumn: 'scores' | 'ranks' | undefined;
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

  constructor(path: string, thirdColumn: 'scores' | 'ranks' | undefined) {
    this.#path = path;
    this.#thirdColumn = thirdColumn;
    this.#builder = new RunBuilder(path);
  }

  /** Takes whole lines; the last one may lack its end. */
  parse(bytes: Buffer): void {
    if (!isUtf8(bytes)) this.#refuseEncoding(bytes);
    this.#bytes += bytes.length;
    let at = this.#line === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length) {
      this.#line++;
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
    this.#compareRank(bytes, layout.rank, score, same);
    this.#builder.addBytes(
      this.#query,
      bytes,
      from,
      to,
      this.#thirdColumn === 'ranks' ? -score : score,
      this.#line,
    );
    this.#rows++;
  }

  #beginQuery(bytes: Uint8Array): void {
    this.#queryBytes = bytes.slice(this.#bounds[0], this.#bounds[1]);
    this.#query = this.#builder.query(this.#field(bytes, 0));
  }

  /** Between neighbours in the file, a better rank must not have the lower score. A third column that counts from 1 is suspected to be ranks. */
  #compareRank(bytes: Uint8Array, place: number, score: number, same: boolean): void {
    if (place < 0) {
      this.#counts &&= score === (same ? this.#score + 1 : 1);
    } else {
      const rank = parseCount(bytes, this.#bounds[2 * place]!, this.#bounds[2 * place + 1]!);
      if (same && rank >= 0 && this.#rank >= 0 && (rank - this.#rank) * (score - this.#score) > 0) {
        if (this.#contradictions++ === 0) this.#contradictionLine = this.#line;
      }
      this.#rank = rank;
    }
    this.#score = score;
  }

  #layoutOf(bytes: Buffer, at: number): Layout | undefined {
    const end = bytes.indexOf(NEWLINE, at);
    const line = bytes.toString('utf8', at, end < 0 ? bytes.length : end);
    if (line.trim() === '' || line.startsWith('#')) return undefined;
    const tabs = line.includes('\t');
    const columns = (tabs ? line.split('\t') : line.trim().split(/\s+/)).length;
    const split = tabs ? splitTabs : splitBlanks;
    if (columns === 6) return { columns, document: 2, rank: 3, score: 4, split };
    if (columns === 3) return { columns, document: 1, rank: -1, score: 2, split };
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

  refuseLine(): never {
    throw new InputError(
      `${this.#path}:${this.#line + 1}`,
      `a line of more than ${LONGEST_LINE} bytes: is this a run file?`,
    );
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
