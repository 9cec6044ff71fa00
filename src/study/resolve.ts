/** From a step and the artifacts it reads to its fingerprint: possible as soon as everything before it is made. */
import { join } from 'node:path';
import { type HashCache, outsideDigest } from './digest.ts';
import { type Fingerprint, type InputDigest, identityOf } from './fingerprint.ts';
import type { Source, Step } from './graph.ts';
import type { Artifact } from './store.ts';

export interface Resolved {
  readonly fingerprint: Fingerprint;
  readonly identity: string;
  /** Where each input lies, in the same order as the fingerprint's digests. */
  readonly paths: Readonly<Record<string, readonly InputPlace[]>>;
}

export interface InputPlace {
  readonly path: string;
  /** Of the artifact it is part of; absent for a file or folder from outside. */
  readonly identity?: string;
}

/** What a step is identified by before its inputs are known. */
export function partialFingerprint(step: Step): Omit<Fingerprint, 'inputs'> {
  return { format: 1, kind: step.kind.kind, version: step.kind.version, params: step.params };
}

/** The digest of one source, or undefined while the step that makes it has not finished. */
export async function digestOfSource(
  source: Source,
  artifacts: ReadonlyMap<string, Artifact>,
  hashes: HashCache,
): Promise<InputDigest | undefined> {
  if ('path' in source) return outsideDigest(source.path, hashes.hash);
  const output = artifacts.get(source.step)?.outputs[source.output];
  return output && { name: source.output, type: output.type, sha256: output.sha256 };
}

/** Undefined while a step that it needs has not finished. Throws an `InputError` where an outside file cannot be read. */
export async function resolveStep(
  step: Step,
  artifacts: ReadonlyMap<string, Artifact>,
  hashes: HashCache,
): Promise<Resolved | undefined> {
  const inputs: Record<string, InputDigest[]> = {};
  const paths: Record<string, InputPlace[]> = {};
  for (const [name, sources] of Object.entries(step.sources)) {
    if (sources.length === 0) continue; // a kind may gain an optional input without a new identity for steps that do not use it
    inputs[name] = [];
    paths[name] = [];
    for (const source of sources) {
      const digest = await digestOfSource(source, artifacts, hashes);
      if (digest === undefined) return undefined;
      inputs[name].push(digest);
      paths[name].push(placeOf(source, artifacts));
    }
  }
  const fingerprint = { ...partialFingerprint(step), inputs };
  return { fingerprint, identity: identityOf(fingerprint), paths };
}

function placeOf(source: Source, artifacts: ReadonlyMap<string, Artifact>): InputPlace {
  if ('path' in source) return { path: source.path };
  const { folder, identity } = artifacts.get(source.step)!;
  return { path: join(folder, source.output), identity };
}
