export * from './mpt/index.ts';
