import { InputError, StepError } from '../base/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import { addStoreOption, type StoreOptions, studyNameOf } from './study.ts';

interface Options extends StoreOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly verify?: boolean;
}

export const registerStatus: Register = (program, io) => {
  const command = addCommand(program, {
    name: 'status',
    summary: 'show how a study stands, while it runs and afterwards',
    details: 'Without a study, lists those of the store.',
    examples: [
      'isoflop status study.yaml --watch',
      'isoflop status quick --json',
      'isoflop status quick --verify',
    ],
  });
  addStoreOption(command.argument('[study]', 'study file, or the name of a study'))
    .option('--watch', 'follow the run until it ends')
    .option('--verify', 'hash every artifact the study refers to, and report those that are damaged')
    .action(async (given: string | undefined, options: Options) => {
      const engine = await import('../study/index.ts');
      const store = await engine.Store.open(options.store, { create: false });
      if (given === undefined) {
        const studies = await engine.readStudies(store);
        return emit(io, options, { studies }, () => engine.studiesText(studies, io.now()));
      }
      const name = await studyNameOf(given);
      if (options.verify) {
        const artifacts = await engine.checkArtifacts(store, name, 'full');
        emit(io, options, { study: name, artifacts }, () => engine.checkText(artifacts));
        const bad = artifacts.filter(({ state }) => state !== 'whole').length;
        if (bad > 0)
          throw new StepError(
            name,
            `${bad} artifacts are damaged or missing; isoflop run --verify makes them again`,
          );
        return;
      }
      const lines = new engine.RedrawnLines({
        write: io.log,
        interactive: io.interactive,
        columns: io.columns,
      });
      if (options.watch)
        for await (const now of engine.watchStatus(store, name, io.signal))
          lines.draw(engine.liveLines(now, io.now()));
      lines.clear();
      const found = await engine.readStatus(store, name);
      if (!found) throw new InputError(given, `has never been run with the store ${options.store}`);
      const left = engine.timeLeft(found, io.now());
      emit(io, options, { ...found, left }, () => engine.statusText(found, io.now()));
    });
};
