export * from './hf/index.ts';
export * from './mpt/index.ts';
