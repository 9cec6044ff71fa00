export * from './figure.ts';
export * from './loss-figure.ts';
export * from './scaling-figure.ts';
export * from './text-plot.ts';
