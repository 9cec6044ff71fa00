/**
 * How far an unfinished folder of shards is. A checkpoint is two files: the tokens that are in no shard yet, under a name of their own, and then
 * the journal that names them. Each is written whole, so after a crash the journal always describes files that are there.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  exists,
  InputError,
  joinInside,
  prettyJson,
  readInput,
  readInputJson,
  sha256,
  writeFileAtomic,
} from '../../base/index.ts';
import { manifestSchema } from './manifest.ts';
import type { ShardWriter } from './shard-writer.ts';
import { littleEndian, type TokenArray, tokensOf } from './token-arrays.ts';

const JOURNAL = 'unfinished.json';

const count = z.number().int().min(0);
const journalSchema = z.strictObject({
  /** Hash of the specification that the shards are made to. */
  specification: z.string(),
  /** What is in the shards and in the rest together. */
  train: manifestSchema.shape.train,
  heldOut: manifestSchema.shape.heldOut,
  /** The rest: training tokens, then held-out ones. */
  rest: z.strictObject({ file: z.string(), trainTokens: count, sha256: z.string() }),
});

export interface Writers {
  readonly train: ShardWriter;
  readonly heldOut: ShardWriter;
}

/** Documents that the writers have been given. */
export const documentsIn = ({ train, heldOut }: Writers) => train.counts.documents + heldOut.counts.documents;

/** Records where the writers are, and drops the record before. */
export async function writeJournal(folder: string, specification: string, writers: Writers): Promise<void> {
  const { train, heldOut } = writers;
  const rest = Buffer.concat([littleEndian(train.rest), littleEndian(heldOut.rest)]);
  const file = `rest-${documentsIn(writers)}.bin`;
  await writeFileAtomic(join(folder, file), rest);
  const journal: z.infer<typeof journalSchema> = {
    specification,
    train: train.counts,
    heldOut: heldOut.counts,
    rest: { file, trainTokens: train.rest.length, sha256: sha256(rest) },
  };
  await writeFileAtomic(join(folder, JOURNAL), prettyJson(journal));
  await removeFiles(folder, name => isLeftover(name) && name !== file);
}

/**
 * Brings the writers to where the journal stands. False if there is nothing to go on from: no journal, or one with no documents yet.
 * Documents of something else are an `InputError`.
 */
export async function resume(
  folder: string,
  specification: string,
  width: 2 | 4,
  { train, heldOut }: Writers,
): Promise<boolean> {
  const journalPath = join(folder, JOURNAL);
  if (!(await exists(journalPath))) return false;
  const parsed = journalSchema.safeParse(await readInputJson(journalPath));
  if (parsed.success && parsed.data.train.documents + parsed.data.heldOut.documents === 0) return false;
  if (!parsed.success || parsed.data.specification !== specification)
    throw new InputError(
      folder,
      'holds unfinished shards of other text, another tokenizer or other options: remove it, or choose another folder',
    );
  const journal = parsed.data;
  const path = joinInside(folder, journal.rest.file);
  const bytes = await readInput(path);
  if (sha256(bytes) !== journal.rest.sha256)
    throw new InputError(path, 'is damaged: remove the folder and start anew');
  const rest: TokenArray = tokensOf(bytes, width);
  train.restore(journal.train, rest.subarray(0, journal.rest.trainTokens));
  heldOut.restore(journal.heldOut, rest.subarray(journal.rest.trainTokens));
  return true;
}

/** A file that only an unfinished folder has, or that a crash may leave behind. */
const isLeftover = (name: string) => /^rest-\d+\.bin$|\.tmp$/.test(name);

const isShard = (name: string) => /^(train|heldout)-\d+\.bin$/.test(name);

/** May this file stand in a folder that is about to be filled? A crash before the first checkpoint leaves shards, too. */
export const mayBeCleared = (name: string) => name === JOURNAL || isLeftover(name) || isShard(name);

/** Empties a folder that is about to be filled from the start. */
export async function clearFolder(folder: string): Promise<void> {
  await removeFiles(folder, mayBeCleared);
}

/** Removes what only an unfinished folder has. */
export async function removeJournal(folder: string): Promise<void> {
  await removeFiles(folder, name => name === JOURNAL || isLeftover(name));
}

async function removeFiles(folder: string, chosen: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(folder)) if (chosen(name)) await rm(join(folder, name), { force: true });
}
