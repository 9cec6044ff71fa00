export * from './base/index.ts';
export * from './study/index.ts';
