export * from './build.ts';
export type { IclTask } from './icl-tasks.ts';
export * from './split.ts';
