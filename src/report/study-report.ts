/** The report of a study from its store: found by the type of its results, and made only where it is not there yet. */
import { join } from 'node:path';
import { hashOf, InputError, readInputJson, StepError } from '../base/index.ts';
import { type Artifact, type Store, studyArtifacts } from '../study/index.ts';
import { type Provenance, provenanceOfArtifacts, RESULTS_TYPE } from './provenance.ts';
import { currentReport, type ReportRecord } from './report-folder.ts';
import type { StudyResults } from './results.ts';
import { parseResults } from './results-schema.ts';

export interface StudyReport {
  readonly study: string;
  readonly folder: string;
  /** The page to open. */
  readonly page: string;
  /** Was it there already? */
  readonly cached: boolean;
  readonly record: ReportRecord;
  readonly results: StudyResults;
}

export interface StudyReportOptions {
  readonly store: Store;
  readonly study: string;
  readonly folder: string;
}

/**
 * Writes the report of what a study's steps last made; undefined for a study that has no step whose output is of the type
 * `study-results`. A report in the folder that was made from the same is left as it is.
 */
export async function writeStudyReport({
  store,
  study,
  folder,
}: StudyReportOptions): Promise<StudyReport | undefined> {
  const artifacts = await studyArtifacts(store, study);
  const path = resultsPath(study, artifacts);
  if (path === undefined) return undefined;
  const results = await readResults(path);
  return writeReport({ study, folder, results, provenance: provenanceOfArtifacts(study, artifacts) });
}

export interface ReportOptions {
  readonly study: string;
  readonly folder: string;
  readonly results: StudyResults;
  readonly provenance: Provenance;
}

/** Writes the report of these results; one in the folder that was made from the same is left as it is. */
export async function writeReport({
  study,
  folder,
  results,
  provenance,
}: ReportOptions): Promise<StudyReport> {
  const wanted = { study: results.study, results: hashOf(results), provenance: hashOf(provenance) };
  const current = await currentReport(folder, wanted);
  const report = { study, folder, page: join(folder, 'index.html'), results };
  if (current) return { ...report, cached: true, record: current };
  const { renderReport } = await import('./render.ts');
  return { ...report, cached: false, record: await renderReport(results, provenance, folder) };
}

/** Results from the file that a study's last step, or a report, wrote. */
export async function readResults(path: string): Promise<StudyResults> {
  return parseResults(await readInputJson(path, MAX_BYTES), path);
}

/** Far above any real study's; a larger file is not read into memory. */
const MAX_BYTES = 512 << 20;

/** The file of results among a study's artifacts. */
function resultsPath(study: string, artifacts: ReadonlyMap<string, Artifact>): string | undefined {
  const found = [...artifacts].flatMap(([step, { folder, outputs }]) =>
    Object.entries(outputs)
      .filter(([, { holds }]) => holds === RESULTS_TYPE)
      .map(([output, { type }]) => ({ step, path: join(folder, output), type })),
  );
  if (found.length > 1)
    throw new InputError(
      study,
      `has several steps with results (${found.map(({ step }) => step).join(', ')}): a report is of one`,
    );
  const [only] = found;
  if (only && only.type !== 'file')
    throw new StepError(only.step, 'its results are a folder, expected a file');
  return only?.path;
}
