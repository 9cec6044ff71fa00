/**
 * The folder of a pretraining run: what stands in it, and how it is always possible to go on from it.
 *
 *     run.json                     what the run is; the same command only continues a run that is the same
 *     metrics.jsonl                one line a step or evaluation
 *     progress.json                finished segments
 *     checkpoints/SEGMENT@STEP/    state.safetensors (p:, m:, v: of every parameter), position.json
 *     models/SEGMENT/              finished models as Hugging Face directories
 *
 * Folders appear by rename, complete; files are replaced by rename. A kill at any moment leaves the newest whole checkpoint in place.
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  canonicalJson,
  exists,
  InputError,
  InternalError,
  type Json,
  prettyJson,
  publishFolder,
  readInputJson,
  readInputText,
  writeFileAtomic,
} from '../base/index.ts';
import { readSafetensors, writeSafetensors } from '../models/index.ts';
import type { TrainingState } from './state.ts';

/** Where in the run a checkpoint was taken. */
export interface Position {
  readonly segment: string;
  /** Steps done. */
  readonly step: number;
  /** Length of metrics.jsonl at that moment: what a resumed run keeps of it. */
  readonly metricsBytes: number;
}

export interface Progress {
  readonly finished: readonly string[];
  readonly metricsBytes: number;
}

const bytes = z.number().int().min(0);
const positionSchema: z.ZodType<Position> = z.object({
  segment: z.string(),
  step: bytes,
  metricsBytes: bytes,
});
const progressSchema: z.ZodType<Progress> = z.object({ finished: z.array(z.string()), metricsBytes: bytes });

/** A file that we wrote ourselves, unless somebody changed it since. */
async function readOwn<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const { data, error } = schema.safeParse(await readInputJson(path));
  if (data === undefined) throw new InputError(path, `is damaged: ${z.prettifyError(error!)}`);
  return data;
}

const NOTHING_DONE: Progress = { finished: [], metricsBytes: 0 };

export class RunFolder {
  readonly path: string;
  /** Descriptor of metrics.jsonl. Lines are few and short: writing them at once keeps their order and their place certain. */
  #metrics: number | undefined;
  #metricsBytes = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder, or checks that it holds the same run. `identity` is everything that decides the results. */
  async open(identity: Json): Promise<void> {
    const file = join(this.path, 'run.json');
    await mkdir(this.path, { recursive: true });
    if (!(await exists(file))) {
      if (
        (await readdir(this.path)).some(name => ['progress.json', 'checkpoints', 'models'].includes(name))
      ) {
        throw new InputError(this.path, 'holds checkpoints but no run.json: give another output folder');
      }
      return writeFileAtomic(file, prettyJson(identity));
    }
    const found = (await readInputJson(file)) as Json;
    if (canonicalJson(found) === canonicalJson(identity)) return;
    const differences = differingKeys(found, identity).join(', ');
    throw new InputError(
      this.path,
      `holds a run with another ${differences}: use the old settings to continue it, or another output folder`,
    );
  }

  async progress(): Promise<Progress> {
    const file = join(this.path, 'progress.json');
    return (await exists(file)) ? readOwn(file, progressSchema) : NOTHING_DONE;
  }

  async markFinished(segment: string): Promise<void> {
    this.#syncMetrics();
    const { finished } = await this.progress();
    await writeFileAtomic(
      join(this.path, 'progress.json'),
      prettyJson({ finished: [...finished, segment], metricsBytes: this.#metricsBytes }),
    );
  }

  /** Takes back that these segments were finished, and what they wrote to the metrics with all that follows it. */
  async forget(segments: readonly string[]): Promise<void> {
    const { finished } = await this.progress();
    const file = join(this.path, 'metrics.jsonl');
    let metricsBytes = 0;
    for (const line of (await exists(file)) ? (await readInputText(file)).split(/(?<=\n)/) : []) {
      if (segments.includes(segmentOf(line))) break;
      metricsBytes += Buffer.byteLength(line);
    }
    const kept = finished.filter(name => !segments.includes(name));
    await writeFileAtomic(join(this.path, 'progress.json'), prettyJson({ finished: kept, metricsBytes }));
  }

  modelPath(segment: string): string {
    return join(this.path, 'models', segment);
  }

  checkpointPath({ segment, step }: { readonly segment: string; readonly step: number }): string {
    return join(this.path, 'checkpoints', `${segment}@${step}`);
  }

  /** Writes a checkpoint; it appears only when it is whole. */
  async saveCheckpoint(
    at: { readonly segment: string; readonly step: number },
    state: TrainingState,
  ): Promise<string> {
    this.#syncMetrics();
    const position: Position = { ...at, metricsBytes: this.#metricsBytes };
    const path = this.checkpointPath(at);
    await publishFolder(path, async folder => {
      await writeSafetensors(join(folder, 'state.safetensors'), new Map(Object.entries(state)));
      await writeFileAtomic(join(folder, 'position.json'), prettyJson(position));
    });
    return path;
  }

  /** Steps of the checkpoints there are of a segment, ascending. */
  async checkpoints(segment: string): Promise<number[]> {
    const names = await readdir(join(this.path, 'checkpoints')).catch(() => []);
    const steps = names.flatMap(name => {
      const [of, step, ...rest] = name.split('@');
      return of === segment && rest.length === 0 && /^\d+$/.test(step ?? '') ? [Number(step)] : [];
    });
    return steps.sort((a, b) => a - b);
  }

  /** Reads a checkpoint; it must hold exactly the tensors of `shapes`. */
  async loadCheckpoint(
    at: { readonly segment: string; readonly step: number },
    shapes: ReadonlyMap<string, readonly number[]>,
  ): Promise<{ readonly state: TrainingState; readonly position: Position }> {
    const path = this.checkpointPath(at);
    const file = join(path, 'state.safetensors');
    const { tensors } = await readSafetensors(file);
    for (const [name, shape] of shapes) {
      if (tensors.get(name)?.shape.join() !== shape.join())
        throw new InputError(file, `has no tensor ${name} of shape [${shape}]: remove ${path}`);
    }
    if (tensors.size !== shapes.size)
      throw new InputError(file, `has ${tensors.size} tensors, expected ${shapes.size}: remove ${path}`);
    const position = await readOwn(join(path, 'position.json'), positionSchema);
    return { state: Object.fromEntries(tensors), position };
  }

  /** Takes a damaged checkpoint out of the way, so that its step can be saved again; it stays for whoever wants to look. */
  async setAside(at: { readonly segment: string; readonly step: number }): Promise<string> {
    const path = this.checkpointPath(at);
    const aside = `${path}.damaged`;
    await rm(aside, { recursive: true, force: true });
    await rename(path, aside);
    return aside;
  }

  async removeCheckpoint(at: { readonly segment: string; readonly step: number }): Promise<void> {
    await rm(this.checkpointPath(at), { recursive: true, force: true });
  }

  /** Opens metrics.jsonl for appending after its first `bytes`; what a killed run wrote beyond them is done again. */
  async openMetrics(bytes: number): Promise<void> {
    const file = join(this.path, 'metrics.jsonl');
    const size = (await stat(file).catch(() => undefined))?.size ?? 0;
    if (size < bytes)
      throw new InputError(
        file,
        `is ${size} bytes long, the checkpoint was taken at ${bytes}: the file was cut, use another output folder`,
      );
    if (size > bytes) await truncate(file, bytes);
    this.#metrics = openSync(file, 'a');
    this.#metricsBytes = bytes;
  }

  writeMetrics(line: Json): void {
    if (this.#metrics === undefined) throw new InternalError('metrics.jsonl is not open');
    const text = Buffer.from(`${JSON.stringify(line)}\n`);
    for (let from = 0; from < text.length; ) from += writeSync(this.#metrics, text, from);
    this.#metricsBytes += text.length;
  }

  /** A checkpoint must never know of metrics that a power cut could take away. */
  #syncMetrics(): void {
    if (this.#metrics !== undefined) fsyncSync(this.#metrics);
  }

  close(): void {
    if (this.#metrics !== undefined) closeSync(this.#metrics);
    this.#metrics = undefined;
  }
}

/** The segment that a line of the metrics is of; empty for a line that was cut off. */
function segmentOf(line: string): string {
  try {
    return (JSON.parse(line) as { segment?: string }).segment ?? '';
  } catch {
    return '';
  }
}

function differingKeys(a: Json, b: Json): string[] {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return ['configuration'];
  const [left, right] = [a as Record<string, Json>, b as Record<string, Json>];
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return keys.filter(key => canonicalJson(left[key] ?? null) !== canonicalJson(right[key] ?? null));
}
