export * from './published/table.ts';
export * from './results/csv.ts';
export * from './results/points.ts';
export * from './results/query-scores.ts';
