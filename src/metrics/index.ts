export * from './evaluate.ts';
export * from './measures.ts';
export * from './ties.ts';
export * from './values.ts';
