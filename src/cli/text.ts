/** The options of every command that reads text. */
import type { Command } from 'commander';
import { integer } from './values.ts';

export interface TextFlags {
  readonly field: string;
  readonly paragraphs?: boolean;
  readonly workers?: number;
}

/** What TEXT stands for, for the help of such commands. */
export const TEXT_HELP =
  'The text is a .txt, .jsonl, .ndjson (each also .gz) or .parquet file, a folder of such files, a quoted pattern with *, ** and ?, or the word wordnet for the corpus that comes with the program.';

/** How documents are taken from files. */
export function addTextFormatOptions(command: Command): Command {
  return command
    .option('--field <name>', 'field or column that holds the text in .jsonl and .parquet', 'text')
    .option('--paragraphs', 'in .txt files, blank lines separate documents (default: one document a file)');
}

/** How documents are taken from files, and with how many threads they are worked on. */
export function addTextOptions(command: Command): Command {
  return addTextFormatOptions(command).option(
    '--workers <n>',
    'threads (default: one a core); the result is the same',
    integer(1),
  );
}
