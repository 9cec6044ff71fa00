export * from './beir.ts';
export {
  describe as describeValue,
  isObject,
  type JsonBlock,
  type JsonObject,
  readJsonBlocks,
  textOf,
  wellFormed,
} from './jsonl.ts';
export { type RecordKind, readRecords, type TextRecord, UniqueIds } from './records.ts';
