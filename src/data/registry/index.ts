export * from './cache.ts';
export * from './datasets.ts';
export * from './get.ts';
export * from './list.ts';
