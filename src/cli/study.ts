/** What the commands that take a study file have in common. */
import { type Command, Option } from 'commander';
import type { Store, Study } from '../study/index.ts';
import type { Io } from './io.ts';
import { collect, integer } from './values.ts';

export interface StoreOptions {
  readonly store: string;
}

export interface StudyOptions extends StoreOptions {
  readonly set?: readonly string[];
  readonly kinds?: readonly string[];
  readonly workers?: number;
}

export function addStoreOption(command: Command): Command {
  return command.option('--store <dir>', 'where results are kept', '.isoflop');
}

/** `--store`, `--set`, `--kinds` and `--workers`. */
export function addStudyOptions(command: Command): Command {
  return addStoreOption(command)
    .option('--set <path=value>', 'override a value of the study file; may be repeated', collect)
    .option('--kinds <module>', 'a JavaScript module with further step kinds; may be repeated', collect)
    .addOption(
      new Option(
        '--workers <n>',
        'threads to use at once, or jobs to have in a queue (default: one a core, as far as memory goes)',
      ).argParser(integer(1)),
    );
}

export interface OpenedStudy {
  readonly study: Study;
  readonly store: Store;
  readonly workers: number;
}

/** Reads and checks the study file, and opens the store. */
export async function openStudy(file: string, options: StudyOptions, io: Io): Promise<OpenedStudy> {
  const { defaultWorkers, listForm, readStudy, Registry, Store, thisMachine } = await import(
    '../study/index.ts'
  );
  const { ladderForm, STEP_KINDS } = await import('../steps/index.ts');
  const registry = await Registry.load([STEP_KINDS, ...(options.kinds ?? [])]);
  const forms = [ladderForm, listForm];
  const { environment } = io;
  const study = await readStudy(file, { forms, registry, environment, overrides: options.set ?? [] });
  const store = await Store.open(options.store, { create: false });
  return { study, store, workers: options.workers ?? defaultWorkers(thisMachine()) };
}

/** The name of a study given as a file or as a name. */
export async function studyNameOf(given: string): Promise<string> {
  const { readStudyName } = await import('../study/index.ts');
  const { exists } = await import('../base/index.ts');
  return (await exists(given)) ? readStudyName(given) : given;
}
