import { basename, dirname, extname, join, resolve } from 'node:path';
import type { StudyReport } from '../report/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import { addStoreOption, type StoreOptions, studyNameOf } from './study.ts';

interface Options extends StoreOptions {
  readonly json?: boolean;
  readonly output?: string;
}

export const registerReport: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'report',
    summary: 'write the report of a study: one page, its figures and its tables',
    details:
      'Writes index.html, which needs no network, figures/ (SVG, PNG), tables/ (CSV) and results.json, and prints the table of results.\n' +
      'A report that was made from the same results is left as it is.\n' +
      'Given reports (or their results.json) instead of a study, puts their checkpoints together into one ladder, with laws and correlations made\n' +
      'anew: for rungs that were made on different machines. What several have is taken from the last.',
    examples: [
      'isoflop report quick',
      'isoflop report study.yaml -o report',
      'isoflop report small-rungs/ large-rung/results.json -o reports/all',
    ],
  });
  addStoreOption(
    command.argument('<study...>', 'study file, or the name of a study; or reports to put together'),
  )
    .option('-o, --output <dir>', 'folder to write (default: reports/NAME; no default for several reports)')
    .action(async (given: readonly string[], options: Options) => {
      const files = await resultsFilesOf(given, options);
      const report = files.some(file => file !== undefined)
        ? await reportOfFiles(given, files, options)
        : await reportOfStudy(given, options);
      const { resultsTable } = await import('../report/index.ts');
      const { study, folder, results, record, page, cached } = report;
      const written = Object.keys(record.files).map(path => join(folder, path));
      emit(io, options, { study, folder, page, cached, files: written, results }, () => {
        const state = cached ? 'as it was' : 'written';
        return `${resultsTable(results)}\nreport ${state}: ${page}`;
      });
    });
};

async function reportOfStudy(given: readonly string[], options: Options): Promise<StudyReport> {
  const [only, ...others] = given as readonly [string, ...string[]];
  const { InputError } = await import('../base/index.ts');
  if (others.length > 0)
    throw new InputError(others[0]!, 'is no report: a report is of one study, or of several reports');
  const { Store } = await import('../study/index.ts');
  const { writeStudyReport } = await import('../report/index.ts');
  const store = await Store.open(options.store, { create: false });
  const study = await studyNameOf(only);
  const report = await writeStudyReport({ store, study, folder: options.output ?? reportFolder(study) });
  if (report !== undefined) return report;
  throw new InputError(
    only,
    `has no results in the store ${options.store}: run it to the end first, with a step that gathers them`,
  );
}

/** The report of what other reports found, put together. */
async function reportOfFiles(
  given: readonly string[],
  files: readonly (string | undefined)[],
  { output }: Options,
): Promise<StudyReport> {
  const { InputError, sha256File } = await import('../base/index.ts');
  const { mergeResults } = await import('../steps/index.ts');
  const { provenanceOfFiles, readResults, writeReport } = await import('../report/index.ts');
  const paths = files.map((file, i) => {
    if (file !== undefined) return file;
    throw new InputError(given[i]!, 'is no report: expected a folder with results.json, or such a file');
  });
  if (output === undefined) throw new InputError('--output', 'name a folder for the report of these reports');
  if (paths.some(path => dirname(resolve(path)) === resolve(output)))
    throw new InputError('--output', `${output} is one of the reports to read: choose another folder`);
  const parts = [];
  for (const [i, path] of paths.entries())
    parts.push({ name: `part ${i + 1}, ${partName(path)}`, path, results: await readResults(path) });
  const results = await mergeResults(parts);
  const hashes = await Promise.all(
    parts.map(async ({ name, path }) => ({ name, sha256: await sha256File(path) })),
  );
  const provenance = provenanceOfFiles(results.study, hashes);
  return writeReport({ study: results.study, folder: output, results, provenance });
}

/** The results of each report given; undefined for what is none. A single name of a study in the store is that study, whatever folder is called so. */
async function resultsFilesOf(
  given: readonly string[],
  { store }: Options,
): Promise<readonly (string | undefined)[]> {
  const { exists } = await import('../base/index.ts');
  const { Store, studyNames } = await import('../study/index.ts');
  if (given.length === 1 && (await exists(store))) {
    const known = await studyNames(await Store.open(store, { create: false }));
    if (known.includes(given[0]!)) return [undefined];
  }
  return Promise.all(given.map(resultsFileOf));
}

/** A report given by its folder or by the file itself. A study file may be JSON too. */
async function resultsFileOf(given: string): Promise<string | undefined> {
  const { exists, readInputJson } = await import('../base/index.ts');
  if (extname(given) === '.json') {
    const value = (await readInputJson(given)) as { readonly kind?: unknown } | null;
    return value?.kind === 'isoflop-results' ? given : undefined;
  }
  const file = join(given, 'results.json');
  return (await exists(file)) ? file : undefined;
}

/** What a reader calls it: the folder, or the file where it has a name of its own. */
function partName(path: string): string {
  const file = basename(path, '.json');
  return file === 'results' ? basename(dirname(resolve(path))) : file;
}

/** Where the report of a study lies unless told otherwise. */
export function reportFolder(study: string): string {
  return join('reports', study);
}
