/** Checks that need no engine: Node, threads, the disk, the tokenizer. */
import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { compact, exists } from '../base/index.ts';
import { loadNative, Tokenizer, trainTokenizer } from '../tokenizer/index.ts';
import { type Check, type Finding, fail, ok, warn } from './check.ts';

const OLDEST_NODE = [20, 19] as const;

/** `version` as `process.version` has it: `v20.19.2`. */
export function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const isNewEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return isNewEnough ? ok(version) : fail(version, `install Node.js ${OLDEST_NODE.join('.')} or later`);
}

/** `asked`: the value of OMP_NUM_THREADS. */
export function threadsFinding(threads: number, cores: number, asked: string | undefined): Finding {
  const found = `${threads} of ${cores} cores`;
  if (threads > cores)
    return warn(found, `more threads than cores are slower: set OMP_NUM_THREADS to ${cores} or less`);
  if (asked !== undefined && asked !== String(threads))
    return warn(
      `${found}; OMP_NUM_THREADS is "${asked}"`,
      'it counts only if it is a whole number of at least 1',
    );
  return ok(asked === undefined ? found : `${found}, as OMP_NUM_THREADS says`);
}

const GIB = 1 << 30;

export function diskFinding(folder: string, freeBytes: number): Finding {
  const found = `${compact(freeBytes)}B free in ${folder}`;
  const remedy =
    'a checkpoint takes 12 bytes a parameter, token shards 2 to 4 bytes a token: free some space';
  if (freeBytes < GIB / 4) return fail(found, remedy);
  return freeBytes < 4 * GIB ? warn(found, remedy) : ok(found);
}

/** The folder, or where it would be made. */
async function nearestExisting(folder: string): Promise<string> {
  const path = resolve(folder);
  return (await exists(path)) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

async function diskOf(folder: string): Promise<Finding> {
  const existing = await nearestExisting(folder);
  await access(existing, constants.W_OK);
  const { bavail, bsize } = await statfs(existing);
  return diskFinding(folder, bavail * bsize);
}

async function* sampleTexts(): AsyncGenerator<readonly string[]> {
  yield [
    'the doctor says that every word of this text is heard',
    'and every other word is said by the doctor',
  ];
}

/** A tokenizer of a few hundred tokens. */
export async function sampleTokenizer(): Promise<string> {
  const { json } = await trainTokenizer(sampleTexts(), { vocabSize: 280, workers: 1 });
  return json;
}

/** The native package must load, and agree with our own encoder. */
async function tokenizerFinding(): Promise<Finding> {
  const json = await sampleTokenizer();
  const text = 'Every word the doctor says: 1, 2, 3, \u{1f600}!';
  const native = await loadNative(json, 'tokenizer');
  const [expected] = await native.encodeBatch([text], { addSpecialTokens: false });
  const { ids } = await (await Tokenizer.fromJson(json)).encodeBatch([text]);
  return expected!.getIds().join() === ids.join()
    ? ok('the tokenizers package loads, and encodes as we do')
    : fail('the tokenizers package encodes otherwise than we do', 'run npm ci for the version we test with');
}

export interface MachineFacts {
  readonly nodeVersion: string;
  readonly cores: number;
  readonly threads: number;
  /** The value of OMP_NUM_THREADS, where it decides. */
  readonly asked: string | undefined;
  /** Where runs are to be kept. */
  readonly folder: string;
}

export function machineChecks({ nodeVersion, cores, threads, asked, folder }: MachineFacts): Check[] {
  return [
    { name: 'Node.js', run: async () => nodeFinding(nodeVersion), remedy: '' },
    { name: 'threads', run: async () => threadsFinding(threads, cores, asked), remedy: '' },
    {
      name: 'disk',
      run: () => diskOf(folder),
      remedy: 'name another folder with --folder, or change its permissions',
    },
    {
      name: 'tokenizers',
      run: tokenizerFinding,
      remedy:
        'its prebuilt library is an optional dependency: run npm ci without --omit=optional on the machine that runs isoflop',
    },
  ];
}
