import { addCommand, emit, type Register } from './command.ts';
import { addStoreOption, type StoreOptions } from './study.ts';
import { collect } from './values.ts';

interface Options extends StoreOptions {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly scratch?: boolean;
  readonly forget?: readonly string[];
}

export const registerClean: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'clean',
    summary: 'remove from the store what no study refers to',
    details:
      'Artifacts that a study last made, everything that a live run uses, and the work of unfinished steps are kept.',
    examples: ['isoflop clean --dry-run', 'isoflop clean --forget old-study'],
  });
  addStoreOption(command)
    .option('--dry-run', 'only show what would be removed')
    .option('--scratch', 'remove the work of unfinished steps too: they start again from their beginning')
    .option('--forget <study>', 'first drop what this study refers to; may be repeated', collect)
    .action(async (options: Options) => {
      const { cleanStore, cleanText, forgetStudy, Store } = await import('../study/index.ts');
      const store = await Store.open(options.store, { create: false });
      const dryRun = options.dryRun ?? false;
      const forget = options.forget ?? [];
      if (!dryRun) for (const study of forget) await forgetStudy(store, study);
      const report = await cleanStore(store, {
        dryRun,
        scratch: options.scratch ?? false,
        without: forget,
        now: io.now(),
      });
      emit(io, options, { dryRun, ...report }, () => cleanText(report, dryRun));
    });
};
