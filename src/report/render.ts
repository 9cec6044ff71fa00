/** From the results of a study to the files of its report. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { canonicalJson, hashOf, prettyJson, sha256 } from '../base/index.ts';
import { compileFigure, drawSvg, renderPng, SCREEN } from './figure.ts';
import { drawable } from './html.ts';
import { type PageFigure, pageText } from './page.ts';
import type { Provenance } from './provenance.ts';
import {
  folderEffects,
  RENDERER,
  REPORT_FILE,
  type ReportEffects,
  type ReportRecord,
} from './report-folder.ts';
import type { StudyResults } from './results.ts';
import { type Figure, studyFigures } from './study-figures.ts';
import { pointsTable, studyTables } from './study-tables.ts';
import { tableCsv } from './table-csv.ts';
import { fieldsOf, type StudyTable, tableOf } from './table-fields.ts';

export type ReportFiles = ReadonlyMap<string, string | Uint8Array>;

/** Draws everything and puts it in place of what the folder held. Equal results and provenance give equal bytes. */
export async function renderReport(
  results: StudyResults,
  provenance: Provenance,
  folder: string,
  effects: ReportEffects = folderEffects,
): Promise<ReportRecord> {
  const resultsText = prettyJson(results);
  const files = await reportFiles(drawable(results), drawable(provenance), resultsText);
  const record: ReportRecord = {
    kind: 'isoflop-report',
    renderer: RENDERER,
    study: results.study,
    results: hashOf(results),
    provenance: hashOf(provenance),
    files: Object.fromEntries([...files].map(([path, data]) => [path, Buffer.byteLength(data)])),
  };
  await effects.replace(folder, new Map([...files, [REPORT_FILE, prettyJson(record)]]));
  return record;
}

async function reportFiles(
  results: StudyResults,
  provenance: Provenance,
  resultsText: string,
): Promise<ReportFiles> {
  const files = new Map<string, string | Uint8Array>();
  const figures: PageFigure[] = [];
  const printed = studyFigures(results);
  const onPage = studyFigures(results, SCREEN);
  for (const [i, figure] of printed.entries()) {
    const svg = await drawSvg(await compileFigure(figure.spec));
    files.set(`figures/${figure.id}.svg`, `${svg}\n`);
    files.set(`figures/${figure.id}.png`, renderPng(svg));
    figures.push(await pageFigure(onPage[i]!));
  }
  const tables = studyTables(results);
  for (const table of [...tables, pointsTable(results), provenanceTable(provenance)])
    files.set(`tables/${table.id}.csv`, tableCsv(table));
  files.set('results.json', resultsText);
  const runtime = figures.length > 0 ? await vegaRuntime() : '';
  const resultsHash = sha256(resultsText);
  const parts = { results, provenance, figures, tables, runtime, resultsHash, renderer: RENDERER };
  files.set('index.html', pageText(parts));
  return files;
}

async function pageFigure({ spec, ...figure }: Figure): Promise<PageFigure> {
  const vega = await compileFigure(spec, SCREEN);
  return { ...figure, vega, svg: withOwnIds(await drawSvg(vega), figure.id) };
}

/** Ids of clips and gradients begin anew in every drawing, and all drawings stand on one page. */
function withOwnIds(svg: string, id: string): string {
  return svg.replace(/ (id="|clip-path="url\(#|fill="url\(#)((?:clip|gradient_)\d+)/g, ` $1${id}-$2`);
}

/** Vega's minified build, which needs nothing else: half a megabyte. Vega-Lite is compiled away beforehand. */
async function vegaRuntime(): Promise<string> {
  const { resolve } = createRequire(import.meta.url);
  return readFile(join(dirname(resolve('vega')), 'vega.min.js'), 'utf8');
}

function provenanceTable({ steps }: Provenance): StudyTable {
  const field = fieldsOf<Provenance['steps'][number]>();
  return tableOf(
    { id: 'provenance', title: 'Provenance' },
    [
      field.words('step', 'step', ({ step }) => step),
      field.words('kind', 'kind', ({ kind }) => kind),
      field.figure('version', 'version', ({ version }) => version, String),
      field.words('identity', 'identity', ({ identity }) => identity),
      field.words('parameters', 'params', ({ params }) => canonicalJson(params)),
      field.words('inputs', 'inputs', ({ inputs }) => canonicalJson(inputs)),
      field.words('outputs', 'outputs', ({ outputs }) => canonicalJson(outputs)),
    ],
    steps,
  );
}
