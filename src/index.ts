export * from './base/index.ts';
export * as bm25 from './bm25/index.ts';
