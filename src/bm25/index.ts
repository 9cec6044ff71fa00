export * from './analyzer.ts';
export * from './bags.ts';
export * from './build.ts';
export { openIndex, saveIndex, writeIndex } from './file.ts';
export { porterStem } from './porter.ts';
export { type Prepared, prepare } from "./prepare.ts";
export * from './scoring.ts';
export * from './search.ts';
export { words } from './words.ts';
