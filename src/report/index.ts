export * from './figure.ts';
export * from './results.ts';
export * from './scaling-figure.ts';
export * from './text-plot.ts';
