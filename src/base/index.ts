export * from './config.ts';
export * from './errors.ts';
export * from './files.ts';
export * from './hash.ts';
export * from './json.ts';
export * from './lines.ts';
export * from './progress.ts';
export * from './rng.ts';
