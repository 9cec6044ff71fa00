/** The options by which commands choose a BM25, and what they mean. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Bm25Parameters, Variant } from '../bm25/index.ts';
import { number } from './values.ts';

export interface Bm25Options {
  readonly variant?: Variant;
  readonly k1?: number;
  readonly b?: number;
  readonly delta?: number;
  readonly lengths?: Bm25Parameters['lengths'];
}

/** Adds `--variant`, `--k1`, `--b`, `--delta` and `--lengths`. */
export function addBm25Options(command: Command): Command {
  return command
    .addOption(
      new Option('--variant <name>', 'scoring formula (default: lucene)').choices([
        'lucene',
        'robertson',
        'atire',
        'bm25l',
        'bm25+',
      ]),
    )
    .option('--k1 <x>', 'saturation of term frequency (default: 0.9)', number)
    .option('--b <x>', 'length normalisation, 0 to 1 (default: 0.4)', number)
    .option('--delta <x>', 'of bm25l and bm25+ (default: 0.5)', number)
    .addOption(
      new Option(
        '--lengths <how>',
        "document lengths exact, or in one byte as Lucene keeps them (default: the variant's own)",
      ).choices(['exact', 'lucene']),
    );
}

/** Adds `--analyzer`. */
export function addAnalyzerOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--analyzer <name>',
      "how text becomes terms: Lucene's English analyzer, or words in lower case",
    )
      .choices(['english', 'plain'])
      .default('english'),
  );
}

/** Ranks as `1-100`. */
export function rankRange(text: string): { from: number; to: number } {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('expected two ranks, such as 1-100');
  return { from: Number(match[1]), to: Number(match[2]) };
}
