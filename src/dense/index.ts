export * from './embeddings.ts';
export * from './encoder.ts';
export * from './search.ts';
