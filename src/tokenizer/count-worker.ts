/** A worker thread of `countWords`. */
export { countBatch as default } from './count-words.ts';
