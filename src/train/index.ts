export * from './step-graph.ts';
