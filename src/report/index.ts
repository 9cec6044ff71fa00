export * from './figure.ts';
export * from './scaling-figure.ts';
