/** MS MARCO's tab-separated files: `id<TAB>text` (collection and queries), or `id<TAB>url<TAB>title<TAB>text` for its documents. */
import type { LineBlock, Problems } from '../base/index.ts';
import { idOf, wellFormed } from './jsonl.ts';
import type { TextRecord } from './records.ts';

/** How many columns a file has, by its first line: four, or else two. Undefined where it does not say. */
export function tsvColumns({ lines }: LineBlock): 2 | 4 | undefined {
  const line = lines.find(text => text !== '');
  if (line === undefined) return undefined;
  return line.split('\t').length === 4 ? 4 : 2;
}

/** The records among lines of `collection.tsv`, `queries.*.tsv` or `msmarco-docs.tsv`. */
export function tsvRecords(
  { first, lines }: LineBlock,
  columns: number,
  path: string,
  problems: Problems,
): TextRecord[] {
  const records: TextRecord[] = [];
  for (let i = 0; i < lines.length; i++) {
    if (lines[i] === '') continue;
    const record = recordOf(lines[i]!.split('\t'), columns, path, first + i, problems);
    if (record !== undefined) records.push(record);
  }
  return records;
}

function recordOf(
  fields: readonly string[],
  columns: number,
  path: string,
  line: number,
  problems: Problems,
): TextRecord | undefined {
  if (fields.length !== columns) {
    problems.add(`${path}:${line}`, `expected ${columns} tab-separated fields, found ${fields.length}`);
    return undefined;
  }
  const id = idOf(fields[0], 'id', path, line, problems);
  if (id === undefined) return undefined;
  const title = columns === 4 ? fields[2]! : '';
  return { id, title: wellFormed(title), text: wellFormed(fields[columns - 1]!), line };
}
