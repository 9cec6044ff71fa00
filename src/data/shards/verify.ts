/** Are the shards what the manifest says? */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Problems, unreadable } from '../../base/index.ts';
import { bytesPerToken, type ShardManifest, type ShardRecord, type Split } from './manifest.ts';
import { largestOf, tokensOf } from './token-arrays.ts';

/** Reads every shard of a split. Throws one `InputError` with all shards that are missing, cut short, changed or out of the vocabulary. */
export async function verifyShards(folder: string, manifest: ShardManifest, split: Split): Promise<void> {
  const problems = new Problems();
  const width = bytesPerToken(manifest.dtype);
  for (const record of manifest[split].shards) {
    const path = join(folder, record.file);
    try {
      const problem = await problemOf(path, record, width);
      if (problem !== undefined) problems.add(path, problem);
    } catch (error) {
      problems.add(path, unreadable(path, error).problems[0]!.message);
    }
  }
  problems.throwIfAny();
}

async function problemOf(path: string, record: ShardRecord, width: 2 | 4): Promise<string | undefined> {
  const { size } = await stat(path);
  const expected = record.tokens * width;
  if (size < expected) return `is cut short: ${size} of ${expected} bytes; make the shards again`;
  if (size > expected) return `has ${size} bytes, the manifest says ${expected}; make the shards again`;
  const hash = createHash('sha256');
  let most = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    most = Math.max(most, largestOf(tokensOf(chunk as Buffer, width)));
  }
  if (hash.digest('hex') !== record.sha256)
    return 'has changed since it was made (its SHA-256 is another); make the shards again';
  if (most !== record.maxId) return `its largest token id is ${most}, the manifest says ${record.maxId}`;
  return undefined;
}
