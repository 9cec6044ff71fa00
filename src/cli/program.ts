/** The whole command line as one value, so that tests run it in-process and `main.ts` stays a few lines. */
import { Command, CommanderError } from 'commander';
import {
  EXIT_BUG,
  EXIT_DONE,
  EXIT_FAILED,
  EXIT_INPUT,
  exitCodeOf,
  formatProblem,
  InputError,
  isAbort,
  messageOf,
} from '../base/index.ts';
import { commands } from './commands.ts';
import type { Io } from './io.ts';
import { interruptedNotice } from './stopping.ts';
import { version } from './version.ts';

/** The program with the command that the command line begins with, or, where it names none, with all of them. */
async function createProgram(argv: readonly string[], io: Io): Promise<Command> {
  const program = new Command('isoflop')
    .description(
      'Measure and predict how well a language model will retrieve, given the compute that went into pretraining it.',
    )
    .version(version(), '-V, --version')
    .showHelpAfterError('(add --help for usage and an example)')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.log });
  const [name = ''] = argv;
  const named = Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands);
  for (const register of await Promise.all(named.map(load => load()))) register(program, io);
  return program;
}

/** Runs one command line (without `node` and the script's name) and returns its exit code. Never throws. */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  try {
    const program = await createProgram(argv, io);
    await program.parseAsync(argv, { from: 'user' });
    return EXIT_DONE;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_DONE : EXIT_INPUT;
    report(error, argv, io);
    return exitCodeOf(error);
  }
}

function report(error: unknown, argv: readonly string[], io: Io): void {
  if (io.signal.aborted && (isAbort(error) || exitCodeOf(error) === EXIT_FAILED)) {
    io.log(interruptedNotice(argv));
  } else if (error instanceof InputError) {
    for (const problem of error.problems) io.log(`error: ${formatProblem(problem)}\n`);
  } else if (exitCodeOf(error) === EXIT_BUG) {
    const stack = error instanceof Error ? error.stack : String(error);
    io.log(
      `this is a bug in isoflop ${version()}; please report it with the command line.\n  isoflop ${argv.join(' ')}\n${stack}\n`,
    );
  } else {
    io.log(`failed: ${messageOf(error)}\n`);
  }
}
