/** Record files: JSON lines, plain or gzip, one record a line. */
import { InputError, Problems } from '../base/index.ts';
import { readJsonBlocks } from '../data/index.ts';
import { parseRecord, type RecordTypes, type TaskType } from './records.ts';

/** Records in memory at once; the Gauntlet's largest file has 20,321. */
const MOST_RECORDS = 2_000_000;

export interface ReadRecordsOptions {
  /** Every record must name its category. */
  readonly categories?: boolean;
  readonly signal?: AbortSignal;
}

/** The records of a file in blocks, as they are read. Those with something wrong are left out and reported in `problems`. */
export async function* readRecordBlocks<T extends TaskType>(
  path: string,
  type: T,
  problems: Problems,
  { categories = false, signal }: ReadRecordsOptions = {},
): AsyncGenerator<readonly RecordTypes[T][]> {
  for await (const { values, lines } of readJsonBlocks(path, problems, signal)) {
    const records: RecordTypes[T][] = [];
    for (const [i, value] of values.entries()) {
      const where = `${path}:${lines[i]}`;
      const record = parseRecord(type, value, where, problems);
      if (record === undefined) continue;
      if (categories && record.category === undefined)
        problems.add(where, "has no 'category', and the task says has_categories");
      records.push(record);
    }
    yield records;
  }
}

/** All records of a file. Throws one `InputError` with everything that is wrong in it. */
export async function readRecordFile<T extends TaskType>(
  path: string,
  type: T,
  options: ReadRecordsOptions = {},
): Promise<RecordTypes[T][]> {
  const problems = new Problems();
  const all: RecordTypes[T][] = [];
  for await (const records of readRecordBlocks(path, type, problems, options)) {
    for (const record of records) all.push(record);
    if (all.length > MOST_RECORDS)
      throw new InputError(path, `holds more than ${MOST_RECORDS} records: split the file`);
  }
  if (all.length === 0 && problems.count === 0) problems.add(path, 'holds no record');
  problems.throwIfAny();
  return all;
}
