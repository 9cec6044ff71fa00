export * from './config.ts';
export * from './flops.ts';
export * from './forward.ts';
export * from './parameters.ts';
