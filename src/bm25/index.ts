export * from './analyzer.ts';
export * from './bags.ts';
export * from './build.ts';
export { openIndex, saveIndex, writeIndex } from './file.ts';
export { words } from './words.ts';
export * from './scoring.ts'; export * from './search.ts';
export { porterStem } from './porter.ts';
