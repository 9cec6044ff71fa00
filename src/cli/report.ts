import { join } from 'node:path';
import { InputError } from '../base/index.ts';
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
      'A report that was made from the same results is left as it is.',
    examples: ['isoflop report quick', 'isoflop report study.yaml -o report'],
  });
  addStoreOption(command.argument('<study>', 'study file, or the name of a study'))
    .option('-o, --output <dir>', 'folder to write (default: reports/NAME)')
    .action(async (given: string, options: Options) => {
      const { Store } = await import('../study/index.ts');
      const { resultsTable, writeStudyReport } = await import('../report/index.ts');
      const store = await Store.open(options.store, { create: false });
      const study = await studyNameOf(given);
      const folder = options.output ?? reportFolder(study);
      const report = await writeStudyReport({ store, study, folder });
      if (report === undefined)
        throw new InputError(
          given,
          `has no results in the store ${options.store}: run it to the end first, with a step that gathers them`,
        );
      const { results, record, page, cached } = report;
      const files = Object.keys(record.files).map(path => join(folder, path));
      emit(io, options, { study, folder, page, cached, files, results }, () => {
        const state = cached ? 'as it was' : 'written';
        return `${resultsTable(results)}\nreport ${state}: ${page}`;
      });
    });
};

/** Where the report of a study lies unless told otherwise. */
export function reportFolder(study: string): string {
  return join('reports', study);
}
