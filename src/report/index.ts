export * from './figure.ts';
export * from './provenance.ts';
export * from './render.ts';
export { RENDERER, type ReportEffects, type ReportRecord } from './report-folder.ts';
export * from './results.ts';
export * from './scaling-figure.ts';
export * from './text-plot.ts';
