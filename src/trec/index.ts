export * from './ids.ts';
export * from './qrels.ts';
export * from './ranking.ts';
export * from './run.ts';
export * from './runfile.ts';
