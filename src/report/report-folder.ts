/** The folder of a report: replaced as a whole, told by a last file what it was made from. */
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import {
  hasCode,
  InputError,
  joinInside,
  syncFolder,
  temporaryName,
  writeFileAtomic,
} from '../base/index.ts';

/** Version of the code that draws reports: bump it when what it draws changes. */
export const RENDERER = 3;

/** Written last. */
export const REPORT_FILE = 'report.json';

const recordSchema = z.strictObject({
  kind: z.literal('isoflop-report'),
  renderer: z.number(),
  study: z.string(),
  /** SHA-256 of the canonical JSON of what was drawn. */
  results: z.string(),
  provenance: z.string(),
  /** Bytes of every other file, by path. */
  files: z.record(z.string(), z.number()),
});

/** What a report was made from, and what it consists of. */
export type ReportRecord = z.infer<typeof recordSchema>;

export interface ReportEffects {
  /** Puts a folder with these files, by relative path, in place of what was there. */
  replace(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void>;
}

/** Files on this machine. */
export const folderEffects: ReportEffects = { replace: replaceFolder };

/**
 * Writes the files to a sibling of the folder, and swaps the two by renaming. A crash between the two renames leaves no report,
 * which the next call makes again; never a mixture. A folder that is neither empty nor a report is refused.
 */
async function replaceFolder(folder: string, files: ReadonlyMap<string, string | Uint8Array>): Promise<void> {
  await requireReportFolder(folder);
  await mkdir(dirname(folder), { recursive: true });
  const [fresh, old] = [temporaryName(folder), temporaryName(folder)];
  try {
    for (const [path, data] of files) await writeFileAtomic(joinInside(fresh, path), data);
    await rename(folder, old).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    await rename(fresh, folder);
    await syncFolder(dirname(folder));
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

/** Throws an `InputError` for a folder that a report may not take the place of. */
export async function requireReportFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (hasCode(error, 'ENOENT')) return [];
    throw new InputError(folder, 'a report is a folder, and this is none: choose another place', {
      cause: error,
    });
  });
  if (names.length > 0 && (await readRecord(folder)) === undefined)
    throw new InputError(folder, 'is not empty and holds no report: choose another folder');
}

/** What the report in a folder says of itself; undefined where there is none. */
export async function readRecord(folder: string): Promise<ReportRecord | undefined> {
  const text = await readFile(join(folder, REPORT_FILE), 'utf8').catch(() => '');
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The record of a folder that holds just this report, every file in its full length; else undefined. */
export async function currentReport(
  folder: string,
  wanted: Pick<ReportRecord, 'study' | 'results' | 'provenance'>,
): Promise<ReportRecord | undefined> {
  const record = await readRecord(folder);
  const same =
    record?.renderer === RENDERER &&
    record.study === wanted.study &&
    record.results === wanted.results &&
    record.provenance === wanted.provenance;
  return same && (await isWhole(folder, record)) ? record : undefined;
}

async function isWhole(folder: string, { files }: ReportRecord): Promise<boolean> {
  for (const [path, bytes] of Object.entries(files)) {
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (!found?.isFile() || found.size !== bytes) return false;
  }
  return true;
}
