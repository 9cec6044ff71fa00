/** Files of a report, as far as its record lists them: nothing else of the disk is ever served. */
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { joinInside } from '../base/index.ts';
import { REPORT_FILE, readRecord } from '../report/index.ts';

const TYPES: Readonly<Record<string, string>> = {
  // a report's page brings a policy of its own, in its head
  '.html': 'text/html;charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.csv': 'text/csv; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};

export interface ReportFile {
  readonly status: 200;
  readonly type: string;
  readonly body: Uint8Array;
}

/** A file of the report of a study; undefined where there is no report, or it has no such file. */
export async function readReportFile(
  reports: string,
  study: string,
  path: string,
): Promise<ReportFile | undefined> {
  const folder = join(reports, study);
  const record = await readRecord(folder);
  const type = TYPES[extname(path)];
  const isListed = record !== undefined && (Object.hasOwn(record.files, path) || path === REPORT_FILE);
  if (!isListed || type === undefined) return undefined;
  const body = await readFile(joinInside(folder, path)).catch(() => undefined);
  return body && { status: 200, type, body };
}
