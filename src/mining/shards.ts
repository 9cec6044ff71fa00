/**
 * The scratch folder of a mining run. Queries are worked through in shards, and each finished shard is three whole files there; whatever stops
 * the run, the same command goes on after the last of them. The manifest tells a run whether the folder is its own.
 */
import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { exists, InputError, readInputText, writeAtomically, writeFileAtomic } from '../base/index.ts';
import type { ShardStatistics } from './statistics.ts';

/** What one shard leaves. */
export interface Shard {
  /** Lines of the file of pairs. */
  readonly pairs: string;
  /** Lines of the candidate run; undefined if it is not kept. */
  readonly run: string | undefined;
  readonly statistics: ShardStatistics;
}

export class ShardFolder {
  readonly path: string;
  readonly #count: number;

  private constructor(path: string, count: number) {
    this.path = path;
    this.#count = count;
  }

  /**
   * Opens or makes the folder of a run with this fingerprint. Throws an `InputError` if it holds finished shards of another; what failed before its
   * first shard makes way.
   */
  static async open(path: string, fingerprint: string, count: number): Promise<ShardFolder> {
    const folder = new ShardFolder(path, count);
    const manifest = join(path, 'manifest');
    if ((await exists(manifest)) && (await readInputText(manifest)) !== fingerprint) {
      if (await exists(folder.#file(0, 'jsonl')))
        throw new InputError(
          path,
          'holds unfinished work of a run with other settings or inputs: finish that one, or delete the folder',
        );
      await folder.remove();
    }
    await mkdir(path, { recursive: true });
    await writeFileAtomic(manifest, fingerprint);
    return folder;
  }

  /** The first shard that is not finished; `count` if all are. */
  async next(): Promise<number> {
    let shard = 0;
    while (shard < this.#count && (await exists(this.#file(shard, 'jsonl')))) shard++;
    return shard;
  }

  async write(shard: number, { pairs, run, statistics }: Shard): Promise<void> {
    await writeFileAtomic(this.#file(shard, 'json'), JSON.stringify(statistics));
    if (run !== undefined) await writeFileAtomic(this.#file(shard, 'run'), run);
    await writeFileAtomic(this.#file(shard, 'jsonl'), pairs); // last: its presence means that the shard is whole
  }

  async statistics(): Promise<ShardStatistics[]> {
    const all: ShardStatistics[] = [];
    for (let shard = 0; shard < this.#count; shard++)
      all.push(JSON.parse(await readInputText(this.#file(shard, 'json'))) as ShardStatistics);
    return all;
  }

  /** Joins the pairs (`jsonl`) or the rankings (`run`) of all shards into one file, gzipped if its name ends in .gz. */
  async join(kind: 'jsonl' | 'run', target: string): Promise<void> {
    const zip = target.endsWith('.gz');
    await writeAtomically(target, async file => {
      for (let shard = 0; shard < this.#count; shard++) {
        const chunks: Buffer[] = [];
        for await (const chunk of createReadStream(this.#file(shard, kind))) chunks.push(chunk as Buffer);
        const bytes = Buffer.concat(chunks);
        await file.write(zip && bytes.length > 0 ? gzipSync(bytes) : bytes); // gzip members may follow one another
      }
    });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  #file(shard: number, kind: string): string {
    return join(this.path, `${String(shard).padStart(6, '0')}.${kind}`);
  }
}
