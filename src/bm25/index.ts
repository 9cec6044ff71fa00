export * from './analyzer.ts';
export * from './bags.ts';
export * from './build.ts';
export { openIndex, saveIndex, writeIndex } from './file.ts';
export { words } from './words.ts';
