/** MS MARCO's tab-separated files: `id<TAB>text` (collection and queries), or `id<TAB>url<TAB>title<TAB>text` for its documents. */
import { type Problems, readLineBlocks } from '../base/index.ts';
import { idOf, wellFormed } from './jsonl.ts';
import type { TextRecord } from './records.ts';

/** The records of `collection.tsv`, `queries.*.tsv` or `msmarco-docs.tsv`, in blocks. The first line decides between two and four columns. */
export async function* readTsvRecords(
  path: string,
  problems: Problems,
  signal?: AbortSignal,
): AsyncGenerator<readonly TextRecord[]> {
  let columns: number | undefined;
  for await (const block of readLineBlocks(path, signal ? { signal } : {})) {
    const records: TextRecord[] = [];
    for (let i = 0; i < block.lines.length; i++) {
      const line = block.lines[i]!;
      if (line === '') continue;
      const fields = line.split('\t');
      columns ??= fields.length === 4 ? 4 : 2;
      const record = recordOf(fields, columns, path, block.first + i, problems);
      if (record !== undefined) records.push(record);
    }
    yield records;
  }
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
