export * from './beir.ts';
export * from './ids.ts';
export * from './pairs.ts';
export * from './qrels.ts';
export * from './ranking.ts';
