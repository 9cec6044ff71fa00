export * from './base/index.ts';
export * as data from './data/index.ts';
export * as report from './report/index.ts';
export * as scaling from './scaling/index.ts';
export * as stats from './stats/index.ts';
