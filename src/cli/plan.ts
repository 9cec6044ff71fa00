import { addCommand, emit, type Register } from './command.ts';
import { addStudyOptions, openStudy, type StudyOptions } from './study.ts';

interface Options extends StudyOptions {
  readonly json?: boolean;
  readonly verify?: boolean;
}

export const registerPlan: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'plan',
    summary: 'show what a run of a study would do, and why; changes nothing',
    details:
      "Each step is cached, will run, or depends: it runs only if what it reads comes out different. Reasons name the field that\ndiffers from the step's last run, with its old and new value.",
    examples: [
      'isoflop plan study.yaml',
      'isoflop plan study.yaml --set steps.finetune.params.temperature=0.05',
    ],
  });
  addStudyOptions(command.argument('<study>', 'study file (YAML)'))
    .option('--verify', 'hash every artifact in the store, instead of comparing sizes')
    .action(async (file: string, options: Options) => {
      const { study, store, workers } = await openStudy(file, options, io);
      const { planStudy, planText } = await import('../study/index.ts');
      const depth = options.verify ? 'full' : 'quick';
      const planned = await planStudy(study, { store, depth, workers, now: io.now });
      emit(io, options, planned, () => planText(planned));
    });
};
