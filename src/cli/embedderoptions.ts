/** The options by which commands override how an embedder makes vectors. */
import { type Command, Option } from 'commander';
import type { EmbedderSettings } from '../models/index.ts';
import { integer } from './values.ts';

export interface EmbedderFlags {
  readonly queryPrefix?: string;
  readonly passagePrefix?: string;
  readonly maxQueryTokens?: number;
  readonly maxPassageTokens?: number;
  readonly eos?: boolean;
  readonly fp16?: true;
}

/** Adds prefixes, lengths, `--eos`, `--no-eos` and `--fp16`; what is not given is as the model directory says. */
export function addEmbedderOptions(command: Command): Command {
  return command
    .option('--query-prefix <text>', "before every query (default: the model's)")
    .option('--passage-prefix <text>', 'before every passage (likewise)')
    .option('--max-query-tokens <n>', 'tokens kept of a query (likewise)', integer(2))
    .option('--max-passage-tokens <n>', 'tokens kept of a passage (likewise)', integer(2))
    .addOption(new Option('--eos', 'append the end-of-text token (likewise)'))
    .addOption(new Option('--no-eos', 'do not append it').default(undefined))
    .option('--fp16', 'keep vectors on the disk in half precision');
}

/** Only what was given. */
export function embedderSettingsOf(flags: EmbedderFlags): Partial<EmbedderSettings> {
  const { queryPrefix, passagePrefix, maxQueryTokens, maxPassageTokens, eos } = flags;
  return {
    ...(queryPrefix !== undefined && { queryPrefix }),
    ...(passagePrefix !== undefined && { passagePrefix }),
    ...(maxQueryTokens !== undefined && { maxQueryTokens }),
    ...(maxPassageTokens !== undefined && { maxPassageTokens }),
    ...(eos !== undefined && { appendEos: eos }),
  };
}
