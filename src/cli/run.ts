import { Option } from 'commander';
import { StepError } from '../base/index.ts';
import type { Executor } from '../study/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import type { Io } from './io.ts';
import { reportFolder } from './report.ts';
import { addStudyOptions, type OpenedStudy, openStudy, type StudyOptions } from './study.ts';
import { collect } from './values.ts';

interface Options extends StudyOptions {
  readonly json?: boolean;
  readonly verify?: boolean;
  readonly executor: 'local' | 'slurm';
  readonly sbatch?: readonly string[];
  readonly output?: string;
}

export const registerRun: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'run',
    summary: 'run a study: every step that is not in the store yet',
    details:
      'A finished step is never run twice, and a changed field runs only what depends on it. Ctrl-C stops at the next checkpoint,\n' +
      'a second one at once; whatever ended the run, the same command goes on from there.\n' +
      'A study that gathers results ends with their table and a report: one page that needs no network, figures, tables.',
    examples: [
      'isoflop run study.yaml',
      'isoflop run study.yaml --workers 2 --set steps.finetune.params.temperature=0.05',
    ],
  });
  addStudyOptions(command.argument('<study>', 'study file (YAML)'))
    .option('--verify', 'hash every artifact that is taken from the store, instead of comparing sizes')
    .addOption(
      new Option('--executor <where>', 'run steps on this machine, or as jobs of a Slurm cluster')
        .choices(['local', 'slurm'])
        .default('local'),
    )
    .option('--sbatch <option>', 'with --executor slurm, an option for sbatch; may be repeated', collect)
    .option('-o, --output <dir>', 'folder of the report (default: reports/NAME)')
    .action(async (file: string, options: Options) => {
      const opened = await openStudy(file, options, io);
      const { study, store } = opened;
      const folder = options.output ?? reportFolder(study.name);
      await requireFolder(study, folder);
      const { LiveView, runStudy, summaryText } = await import('../study/index.ts');
      const view = new LiveView({ write: io.log, interactive: io.interactive, columns: io.columns }, io.now);
      io.signal.addEventListener('abort', () => view.release(), { once: true }); // a notice of it follows
      const summary = await runStudy(study, {
        store,
        executor: await executorOf(opened, options, io),
        signal: io.signal,
        now: io.now,
        onEvent: view.listen,
        depth: options.verify ? 'full' : 'quick',
        ...(options.executor === 'slurm' && { pollMs: SLURM_POLL_MS }),
      });
      const report = summary.outcome === 'done' ? await reportOf(opened, folder) : undefined;
      emit(io, options, { ...summary, report: report?.page }, () =>
        [summaryText(summary), ...(report ? [report.table, `report: ${report.page}`] : [])].join('\n'),
      );
      if (summary.outcome === 'interrupted') io.signal.throwIfAborted();
      const failed = summary.steps.filter(({ state }) => state === 'failed').length;
      if (summary.outcome === 'failed')
        throw new StepError(
          study.name,
          `${failed} of ${summary.steps.length} steps failed; 'isoflop status' shows why`,
        );
    });
};

/** A folder that cannot take the report of a study's results is told before hours of work, not after. */
async function requireFolder({ steps }: OpenedStudy['study'], folder: string): Promise<void> {
  const { RESULTS_TYPE, requireReportFolder } = await import('../report/index.ts');
  if (steps.some(({ outputs }) => Object.values(outputs).includes(RESULTS_TYPE)))
    await requireReportFolder(folder);
}

/** The report of a study that has results, and their table. */
async function reportOf({ study, store }: OpenedStudy, folder: string) {
  const { resultsTable, writeStudyReport } = await import('../report/index.ts');
  const report = await writeStudyReport({ store, study: study.name, folder });
  return report && { page: report.page, table: resultsTable(report.results) };
}

/** Looking for reports over a network file system costs more than on a local disk. */
const SLURM_POLL_MS = 2000;

async function executorOf({ store, workers }: OpenedStudy, options: Options, io: Io): Promise<Executor> {
  const { LocalExecutor, SlurmExecutor, thisMachine } = await import('../study/index.ts');
  const { environment } = io;
  if (options.executor === 'local')
    return new LocalExecutor({ workers, memoryBytes: thisMachine().memoryBytes, environment });
  return new SlurmExecutor({
    workers,
    environment,
    sbatch: options.sbatch ?? [],
    folderOf: key => store.jobFolder(key),
    now: io.now,
  });
}
