export { mine } from './mine.ts';
export type { MineOptions } from './options.ts';
export * from './select.ts';
export * from './settings.ts';
export type { MiningReport, Summary } from './statistics.ts';
export { miningText } from './table.ts';
