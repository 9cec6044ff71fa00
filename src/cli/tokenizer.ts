import type { Command } from 'commander';
import { writeFileAtomic } from '../base/index.ts';
import { addCommand, emit, type Register } from './command.ts';
import type { Io } from './io.ts';
import { addTextOptions, TEXT_HELP, type TextFlags } from './text.ts';
import { collect, integer } from './values.ts';

export const registerTokenizer: Register = (program, io) => {
  const parent = program.command('tokenizer').description('train and look into tokenizers');
  train(parent, io);
  encode(parent, io);
  inspect(parent, io);
};

interface TrainFlags extends TextFlags {
  readonly vocab: number;
  readonly output: string;
  readonly minFrequency: number;
  readonly special?: readonly string[];
  readonly json?: boolean;
}

function train(parent: Command, io: Io): void {
  const command = addCommand(parent, {
    name: 'train',
    summary: 'train a byte-level BPE tokenizer and write its tokenizer.json',
    details: `${TEXT_HELP}\n\nThe file loads in Hugging Face's tokenizers and transformers. The merges are those of their BPE trainer on the same documents.`,
    examples: [
      'isoflop tokenizer train wordnet --vocab 4096 -o tokenizer.json',
      "isoflop tokenizer train 'wiki/*.jsonl.gz' --vocab 8192 -o tokenizer.json",
    ],
  });
  addTextOptions(command)
    .argument('<text...>', 'what to learn from')
    .requiredOption('--vocab <n>', 'tokens in all, with 256 bytes and the special ones', integer(1))
    .requiredOption('-o, --output <file>', 'file to write')
    .option('--min-frequency <n>', 'never merge pairs that are rarer', integer(1), 2)
    .option(
      '--special <token>',
      'a special token; again for more (default: <|endoftext|> and <|padding|>)',
      collect,
    )
    .action(async (named: readonly string[], flags: TrainFlags) => {
      const [{ openTexts, readDocuments, startReading, textsOf }, { trainTokenizer }] = await Promise.all([
        import('../data/index.ts'),
        import('../tokenizer/index.ts'),
      ]);
      const sources = await openTexts(named, flags);
      const task = startReading(io.progress, 'tokenizer', sources);
      const documents = readDocuments(sources, { signal: io.signal, onRead: bytes => task.update(bytes) });
      const { json, ...counts } = await trainTokenizer(textsOf(documents), {
        vocabSize: flags.vocab,
        minFrequency: flags.minFrequency,
        signal: io.signal,
        ...(flags.workers && { workers: flags.workers }),
        ...(flags.special && { specialTokens: flags.special }),
      });
      task.finish(`${counts.vocabSize} tokens`);
      await writeFileAtomic(flags.output, json);
      if (counts.vocabSize < flags.vocab)
        io.log(
          `note: the text has frequent pairs for ${counts.vocabSize} tokens only, not for ${flags.vocab}\n`,
        );
      emit(io, flags, { file: flags.output, ...counts }, () => {
        const { vocabSize, merges, documents: read, bytes, distinctWords } = counts;
        return `${flags.output}: ${vocabSize} tokens, ${merges} merges from ${read} documents, ${bytes} bytes, ${distinctWords} distinct words`;
      });
    });
}

function encode(parent: Command, io: Io): void {
  addCommand(parent, {
    name: 'encode',
    summary: 'show the tokens of a text',
    examples: ["isoflop tokenizer encode tokenizer.json 'How will it retrieve?'"],
  })
    .argument('<tokenizer>', 'a tokenizer.json')
    .argument('<text>', 'the text itself')
    .action(async (path: string, text: string, flags: { readonly json?: boolean }) => {
      const { Tokenizer } = await import('../tokenizer/index.ts');
      const model = await Tokenizer.fromFile(path);
      const ids = [...(await model.encode(text))];
      const tokens = ids.map(id => model.idToToken(id) ?? '');
      emit(io, flags, { ids, tokens }, () => ids.map((id, i) => `${id}\t${tokens[i]}`).join('\n'));
    });
}

function inspect(parent: Command, io: Io): void {
  addCommand(parent, {
    name: 'inspect',
    summary: "show a tokenizer's size, special ids and hash",
    examples: ['isoflop tokenizer inspect tokenizer.json'],
  })
    .argument('<tokenizer>', 'a tokenizer.json')
    .action(async (path: string, flags: { readonly json?: boolean }) => {
      const { Tokenizer } = await import('../tokenizer/index.ts');
      const model = await Tokenizer.fromFile(path);
      const { vocabSize, hash } = model;
      const [eosId, padId] = model.hasEos ? [model.eosId, model.padId] : [null, null];
      emit(io, flags, { file: path, vocabSize, eosId, padId, sha256: hash }, () =>
        [
          `${path}: ${vocabSize} tokens`,
          `end of text ${eosId ?? 'unknown'}, padding ${padId ?? 'unknown'}`,
          `sha256 ${hash}`,
        ].join('\n'),
      );
    });
}
