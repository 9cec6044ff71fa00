export * from './correlation.ts';
export * from './distributions.ts';
export * from './linear.ts';
export * from './quantile.ts';
export * from './resample.ts';
export * from './significance.ts';
