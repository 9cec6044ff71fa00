/**
 * What each step of a study last came to, in `studies/<name>/steps/<step>.json`. These files keep artifacts from being cleaned
 * away, and tell `plan` what has changed since.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { prettyJson, readInputJson, writeFileAtomic } from '../base/index.ts';
import type { Fingerprint } from './fingerprint.ts';
import { fingerprintSchema, type Store } from './store.ts';

const madeSchema = z.strictObject({ identity: z.string(), fingerprint: fingerprintSchema });

const refSchema = z.strictObject({
  step: z.string(),
  /** The artifact it last made or found. */
  done: madeSchema.optional(),
  /** Work that has begun and not succeeded; its scratch is kept. With the message it failed with, if it did. */
  pending: madeSchema.extend({ failure: z.string().optional() }).optional(),
});

export type StepRecord = z.infer<typeof refSchema>;

export interface Made {
  readonly identity: string;
  readonly fingerprint: Fingerprint;
}

/** The references of one study, read once and written when they change. */
export class References {
  readonly #folder: string;
  readonly #records: Map<string, StepRecord>;

  private constructor(folder: string, records: Map<string, StepRecord>) {
    this.#folder = folder;
    this.#records = records;
  }

  static async load(store: Store, study: string): Promise<References> {
    const folder = join(store.studyFolder(study), 'steps');
    const names = await readdir(folder).catch(() => []);
    const files = names.filter(name => name.endsWith('.json'));
    const records = await Promise.all(files.map(name => readRecord(join(folder, name))));
    const known = records.flatMap(record => (record ? [[record.step, record] as const] : []));
    return new References(folder, new Map(known));
  }

  get(step: string): StepRecord | undefined {
    return this.#records.get(step);
  }

  all(): readonly StepRecord[] {
    return [...this.#records.values()];
  }

  /** A step has begun: what it last made stays known until this is done. */
  async begin(step: string, made: Made): Promise<void> {
    const done = this.#records.get(step)?.done;
    await this.#write({ step, ...(done && { done }), pending: plain(made) });
  }

  /** What has begun has failed, if it has. */
  async fail(step: string, failure: string): Promise<void> {
    const record = this.#records.get(step);
    if (record?.pending) await this.#write({ ...record, pending: { ...record.pending, failure } });
  }

  async finish(step: string, made: Made): Promise<void> {
    await this.#write({ step, done: plain(made) });
  }

  /** Forgets the steps that the study no longer has. */
  async keepOnly(steps: readonly string[]): Promise<void> {
    for (const step of [...this.#records.keys()].filter(step => !steps.includes(step))) {
      await rm(join(this.#folder, `${step}.json`), { force: true });
      this.#records.delete(step);
    }
  }

  async #write(record: StepRecord): Promise<void> {
    const text = prettyJson(record);
    const old = this.#records.get(record.step);
    if (old && prettyJson(old) === text) return;
    await writeFileAtomic(join(this.#folder, `${record.step}.json`), text);
    this.#records.set(record.step, record);
  }
}

function plain(made: Made): z.infer<typeof madeSchema> {
  return { identity: made.identity, fingerprint: fingerprintSchema.parse(made.fingerprint) };
}

/** A record that cannot be read is as good as none: it is only a memory. */
async function readRecord(path: string): Promise<StepRecord | undefined> {
  return refSchema.safeParse(await readInputJson(path).catch(() => undefined)).data;
}

export async function studyNames(store: Store): Promise<string[]> {
  return (await readdir(store.path('studies')).catch(() => [])).sort();
}
