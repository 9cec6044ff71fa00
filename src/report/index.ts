export * from './figure.ts';
export { Html, html } from './html.ts';
export { PAGE_STYLE } from './page-style.ts';
export * from './pretraining-figure.ts';
export * from './provenance.ts';
export * from './render.ts';
export {
  RENDERER,
  REPORT_FILE,
  type ReportEffects,
  type ReportRecord,
  readRecord,
  requireReportFolder,
} from './report-folder.ts';
export * from './results.ts';
export { parseResults } from './results-schema.ts';
export { resultsTable } from './results-table.ts';
export * from './scaling-figure.ts';
export * from './study-report.ts';
export * from './text-plot.ts';
