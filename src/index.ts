/** The library: one namespace a module, and the basics directly. `import { bm25, graph, InputError } from 'isoflop'`. */

export * from './base/index.ts';
export * as data from './data/index.ts';
export * as dense from './dense/index.ts';
export * as graph from './graph/index.ts';
export * as icl from './icl/index.ts';
export * as metrics from './metrics/index.ts';
export * as models from './models/index.ts';
export * as nn from './nn/index.ts';
export * as report from './report/index.ts';
export * as retrieval from './retrieval/index.ts';
export * as runtime from './runtime/index.ts';
export * as scaling from './scaling/index.ts';
export * as stats from './stats/index.ts';
export * as study from './study/index.ts';
export * as tokenizer from './tokenizer/index.ts';
export * as train from './train/index.ts';
