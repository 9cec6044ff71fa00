import type { Command } from 'commander';
import type { ShardManifest } from '../data/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import type { Io } from './io.ts';
import { addTextOptions, TEXT_HELP, type TextFlags } from './text.ts';
import { integer, number } from './values.ts';

export const registerShards: Register = (program, io) => {
  const parent = program.command('shards').description('tokenise text for pretraining');
  build(parent, io);
  inspect(parent, io);
};

interface BuildFlags extends TextFlags {
  readonly tokenizer: string;
  readonly output: string;
  readonly heldOut: number;
  readonly seed: number;
  readonly shardTokens: number;
  readonly json?: boolean;
}

function build(parent: Command, io: Io): void {
  const command = addCommand(parent, {
    name: 'build',
    summary: 'tokenise text into shards with a manifest, a share of the documents held out',
    details: `${TEXT_HELP}\n\nThe same command goes on where an interrupted one stopped.`,
    examples: [
      'isoflop shards build wordnet --tokenizer tokenizer.json -o shards',
      'isoflop shards build wiki/ --tokenizer tokenizer.json --held-out 0.005 -o shards',
    ],
  });
  addTextOptions(command)
    .argument('<text...>', 'what to tokenise')
    .requiredOption('--tokenizer <file>', 'a tokenizer.json')
    .requiredOption('-o, --output <folder>', 'folder to fill')
    .option('--held-out <share>', 'share of the documents that training never sees', number, 0.01)
    .option('--seed <n>', 'decides which documents these are', integer(0), 17)
    .option('--shard-tokens <n>', 'tokens a shard', integer(1), 1 << 23)
    .action(async (named: readonly string[], flags: BuildFlags) => {
      const [{ buildShards, openTexts, startReading }, { setNativeThreads, Tokenizer }] = await Promise.all([
        import('../data/index.ts'),
        import('../tokenizer/index.ts'),
      ]);
      if (flags.workers) setNativeThreads(flags.workers);
      const sources = await openTexts(named, flags);
      const tokenizer = await Tokenizer.fromFile(flags.tokenizer);
      const task = startReading(io.progress, 'shards', sources);
      const manifest = await buildShards(sources, tokenizer, flags.output, {
        heldOut: flags.heldOut,
        seed: flags.seed,
        shardTokens: flags.shardTokens,
        workers: flags.workers,
        signal: io.signal,
        onProgress: (bytes, tokens) => task.update(bytes, `${tokens} tokens`),
      });
      task.finish();
      if (flags.heldOut > 0 && manifest.heldOut.documents === 0)
        io.log('note: no document was held out; --held-out is too small for this corpus\n');
      emit(io, flags, manifest, () => summary(flags.output, manifest));
    });
}

function inspect(parent: Command, io: Io): void {
  addCommand(parent, {
    name: 'inspect',
    summary: 'show what a folder of shards holds, after checking every file against the manifest',
    examples: ['isoflop shards inspect shards'],
  })
    .argument('<folder>', 'a folder of shards')
    .action(async (folder: string, flags: { readonly json?: boolean }) => {
      const { readManifest, verifyShards } = await import('../data/index.ts');
      const manifest = await readManifest(folder);
      for (const split of ['train', 'heldOut'] as const) await verifyShards(folder, manifest, split);
      emit(io, flags, manifest, () => summary(folder, manifest));
    });
}

function summary(folder: string, manifest: ShardManifest): string {
  const { train, heldOut, tokenizer, dtype, emptyDocuments } = manifest;
  const line = (name: string, counts: ShardManifest['train']) =>
    `${name}: ${counts.documents} documents, ${counts.tokens} tokens, ${counts.bytes} bytes of text, ${counts.shards.length} shards`;
  const ratio = (train.bytes + heldOut.bytes) / (train.tokens + heldOut.tokens);
  return [
    `${folder}: ${dtype}, vocabulary ${tokenizer.vocabSize}, ${ratio.toFixed(3)} bytes a token, ${emptyDocuments} empty documents left out`,
    line('train', train),
    line('held out', heldOut),
  ].join('\n');
}
