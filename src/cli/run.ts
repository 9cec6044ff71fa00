import { StepError } from '../base/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import { addStudyOptions, openStudy, type StudyOptions } from './study.ts';

interface Options extends StudyOptions {
  readonly json?: boolean;
  readonly verify?: boolean;
}

export const run: Register = (program, io) => {
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
    .action(async (file: string, options: Options) => {
      const { study, store, workers } = await openStudy(file, options, io);
      const { LiveView, LocalExecutor, runStudy, summaryText, thisMachine } = await import(
        '../study/index.ts'
      );
      const { memoryBytes } = thisMachine();
      const view = new LiveView({ write: io.log, interactive: io.interactive, columns: io.columns }, io.now);
      const summary = await runStudy(study, {
        store,
        executor: new LocalExecutor({ workers, memoryBytes, environment: io.environment }),
        signal: io.signal,
        now: io.now,
        onEvent: view.listen,
        depth: options.verify ? 'full' : 'quick',
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
