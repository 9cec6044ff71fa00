import { Option } from 'commander';
import { StepError } from '../base/index.ts';
import type { Executor } from '../study/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import type { Io } from './io.ts';
import { addStudyOptions, type OpenedStudy, openStudy, type StudyOptions } from './study.ts';
import { collect } from './values.ts';

interface Options extends StudyOptions {
  readonly json?: boolean;
  readonly verify?: boolean;
  readonly executor: 'local' | 'slurm';
  readonly sbatch?: readonly string[];
}

export const registerRun: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'run',
    summary: 'run a study: every step that is not in the store yet',
    details:
      'A finished step is never run twice, and a changed field runs only what depends on it. Ctrl-C stops at the next checkpoint,\n' +
      'a second one at once; whatever ended the run, the same command goes on from there.',
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
    .action(async (file: string, options: Options) => {
      const opened = await openStudy(file, options, io);
      const { study, store } = opened;
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
      emit(io, options, summary, () => summaryText(summary));
      if (summary.outcome === 'interrupted') io.signal.throwIfAborted();
      const failed = summary.steps.filter(({ state }) => state === 'failed').length;
      if (summary.outcome === 'failed')
        throw new StepError(
          study.name,
          `${failed} of ${summary.steps.length} steps failed; 'isoflop status' shows why`,
        );
    });
};

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
