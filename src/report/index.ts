export * from './figure.ts';
export * from './provenance.ts';
export * from './render.ts';
export { type ReportEffects, type ReportRecord, RENDERER } from './report-folder.ts';
export * from './results.ts';
export * from './scaling-figure.ts';
export * from './text-plot.ts';
