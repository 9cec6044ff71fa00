export * from './evaluate.ts';
export * from './files.ts';
export * from './measures.ts';
export * from './report.ts';
export * from './text.ts';
export * from './ties.ts';
export * from './values.ts';
