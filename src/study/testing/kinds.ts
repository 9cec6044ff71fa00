/** Small step kinds for tests and benchmarks of the engine: nothing here has a meaning. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { InputError, writeFileAtomic } from '../../base/index.ts';
import { defineStep, many, one, optional } from '../kind.ts';
import { meetTest } from './rig.ts';

const text = () => ({ text: 'text' });

const write = defineStep({
  kind: 'write',
  version: 1,
  schema: z.strictObject({ text: z.string().default('hello\n'), threads: z.number().int().default(1) }),
  inputs: {},
  outputs: () => text(),
  resources: ({ threads }) => ({ threads }),
  async run({ params, output }) {
    await writeFile(output('text'), params.text);
  },
});

const copy = defineStep({
  kind: 'copy',
  version: 1,
  schema: z.strictObject({ times: z.number().int().positive().default(1) }),
  inputs: { from: one('text'), before: optional('text') },
  outputs: () => text(),
  estimate: ({ times }) => ({ flops: 10 * times, seconds: times }),
  async run({ params, inputs, output }) {
    const before = inputs.before === undefined ? '' : await readFile(inputs.before, 'utf8');
    await writeFile(output('text'), before + (await readFile(inputs.from, 'utf8')).repeat(params.times));
  },
});

const concat = defineStep({
  kind: 'concat',
  version: 1,
  schema: z.strictObject({}),
  inputs: { parts: many('text') },
  outputs: () => ({ text: 'text', sizes: 'table' }),
  async run({ inputs, output }) {
    const parts = await Promise.all(inputs.parts.map(path => readFile(path, 'utf8')));
    await writeFile(output('text'), parts.join(''));
    await writeFile(output('sizes'), JSON.stringify(parts.map(part => part.length)));
  },
});

/** The first letters only, so that different inputs can give equal outputs. */
const head = defineStep({
  kind: 'head',
  version: 1,
  schema: z.strictObject({ letters: z.number().int() }),
  inputs: { from: one('text') },
  outputs: () => text(),
  async run({ params, inputs, output }) {
    await writeFile(output('text'), (await readFile(inputs.from, 'utf8')).slice(0, params.letters));
  },
});

const manyFiles = defineStep({
  kind: 'many-files',
  version: 1,
  schema: z.strictObject({ files: z.number().int(), bytes: z.number().int() }),
  inputs: { from: optional('text') },
  outputs: () => ({ files: 'folder' }),
  async run({ params, inputs, output }) {
    const seed = inputs.from === undefined ? '' : await readFile(inputs.from, 'utf8');
    for (let i = 0; i < params.files; i++) {
      const folder = join(output('files'), `part-${i % 7}`);
      await mkdir(folder, { recursive: true });
      const line = createHash('sha256').update(`${seed}${i}`).digest('hex');
      await writeFile(
        join(folder, `${i}.txt`),
        line.repeat(Math.ceil(params.bytes / 64)).slice(0, params.bytes),
      );
    }
  },
});

const list = defineStep({
  kind: 'list',
  version: 1,
  schema: z.strictObject({}),
  inputs: { from: one('folder') },
  outputs: () => text(),
  async run({ inputs, output }) {
    await writeFile(output('text'), (await readdir(inputs.from, { recursive: true })).sort().join('\n'));
  },
});

/** Fails in the way it is told. */
const fail = defineStep({
  kind: 'fail',
  version: 1,
  schema: z.strictObject({
    how: z.enum(['throw', 'input', 'exit', 'signal', 'extra', 'nothing', 'link', 'never', 'metric']),
  }),
  inputs: { from: optional('text') },
  outputs: () => text(),
  async run({ params, output, metrics }) {
    console.log(`about to fail: ${params.how}`);
    const ways: Record<typeof params.how, () => unknown> = {
      throw: () => Promise.reject(new Error('it did not work')),
      input: () => Promise.reject(new InputError('corpus.txt:3', 'expected a number, found a letter')),
      exit: () => process.exit(7),
      signal: () => process.kill(process.pid, 'SIGKILL'),
      extra: () =>
        Promise.all([writeFile(output('text'), ''), writeFile(join(output('text'), '../leftover'), '')]),
      nothing: () => undefined,
      link: () => symlink('/etc/hostname', output('text')),
      never: () => new Promise(() => undefined),
      metric: () => metrics({ loss: Number.NaN }),
    };
    await ways[params.how]();
  },
});

/** A chain of hashes, one link a unit, with a checkpoint after each: interrupted anywhere, it ends the same. */
const chain = defineStep({
  kind: 'chain',
  version: 1,
  schema: z.strictObject({
    seed: z.string(),
    units: z.number().int(),
    /** Pause a unit, so that there is something to interrupt. */
    ms: z.number().default(0),
    threads: z.number().int().default(1),
  }),
  inputs: { from: optional('text') },
  outputs: () => text(),
  resources: ({ threads }) => ({ threads }),
  estimate: ({ units, ms }) => ({ flops: units, seconds: (units * ms) / 1000 }),
  async run({ params, inputs, output, scratch, signal, progress, metrics, log }) {
    const checkpoint = join(scratch, 'checkpoint.json');
    const start = `${params.seed}${inputs.from === undefined ? '' : await readFile(inputs.from, 'utf8')}`;
    let { done, hash } = readCheckpoint(checkpoint) ?? { done: 0, hash: start };
    if (done > 0) log(`goes on from unit ${done}`);
    const task = progress.start('chain', params.units, 'links');
    task.update(done);
    while (done < params.units) {
      signal.throwIfAborted();
      if (params.ms > 0) await pause(params.ms);
      hash = createHash('sha256').update(hash).digest('hex');
      done++;
      await writeFileAtomic(checkpoint, JSON.stringify({ done, hash }));
      task.update(done);
    }
    task.finish();
    metrics({ links: done }, done);
    await writeFile(output('text'), `${hash}\n`);
  },
});

function readCheckpoint(path: string): { done: number; hash: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { done: number; hash: string };
  } catch {
    return undefined;
  }
}

/** Does what the test tells it, when the test tells it. */
const gate = defineStep({
  kind: 'gate',
  version: 1,
  schema: z.strictObject({
    label: z.string(),
    threads: z.number().int().default(1),
    memoryBytes: z.number().optional(),
  }),
  inputs: { from: optional('text') },
  outputs: () => text(),
  resources: ({ threads, memoryBytes }) => ({ threads, ...(memoryBytes !== undefined && { memoryBytes }) }),
  async run(context) {
    const said = await meetTest(context.params.label, context);
    await writeFile(context.output('text'), said);
  },
});

export const kinds = [write, copy, concat, head, manyFiles, list, fail, chain, gate];
