/**
 * How a command is declared: `addCommand(program, io, 'flops', 'one line', 'isoflop flops ...')` gives a commander command with the
 * options every command has (`--json`, `--help` with an example) whose action gets the `Io` and returns when all is done.
 */
import type { Command } from 'commander';
import { prettyJson } from '../base/index.ts';
import type { Io } from './io.ts';

/** Adds one command to the program: each file in `cli/` exports one of these. */
export type Register = (program: Command, io: Io) => void;

export interface Description {
  readonly name: string;
  readonly summary: string;
  /** Longer help: what it does, what it writes, units. */
  readonly details?: string;
  /** One or more command lines that work. */
  readonly examples: readonly string[];
}

export function addCommand(parent: Command, description: Description): Command {
  const examples = description.examples.map(line => `  $ ${line}`).join('\n');
  return parent
    .command(description.name)
    .summary(description.summary)
    .description(
      description.details ? `${description.summary}\n\n${description.details}` : description.summary,
    )
    .option('--json', 'print one JSON object on stdout')
    .addHelpText('after', `\nExample${description.examples.length > 1 ? 's' : ''}:\n${examples}`);
}

/** Prints a result: the object with `--json`, else the text made for people. */
export function emit(
  io: Io,
  options: { readonly json?: boolean | undefined },
  value: unknown,
  text: () => string,
): void {
  io.out(options.json ? prettyJson(value) : ensureNewline(text()));
}

function ensureNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
