/** Where a study's numbers come from: every step that made something, what it was told and what it read, by content. */
import { hashOf } from '../base/index.ts';
import { type Artifact, type Store, studyArtifacts } from '../study/index.ts';

/** The type under which a study's results lie in the store. */
export const RESULTS_TYPE = 'study-results';

export interface ProvenanceOutput {
  readonly name: string;
  /** The type its step kind declares. */
  readonly holds: string;
  readonly sha256: string;
  readonly bytes: number;
}

export interface ProvenanceInput {
  /** The part it plays for the step: `text`, `model`. */
  readonly role: string;
  /** Its last path component. */
  readonly name: string;
  readonly sha256: string;
  /** Steps of the study that have made exactly this content; none where it came from outside. */
  readonly from: readonly string[];
}

export interface ProvenanceStep {
  readonly step: string;
  readonly kind: string;
  /** Of the code that did the work, as its author counts changes that matter. */
  readonly version: number;
  /** Hash of kind, version, parameters and inputs: the artifact's address in the store. */
  readonly identity: string;
  readonly params: unknown;
  readonly inputs: readonly ProvenanceInput[];
  readonly outputs: readonly ProvenanceOutput[];
}

/** No times, machines or paths: equal work has an equal provenance. */
export interface Provenance {
  readonly study: string;
  /** Steps after those whose outputs they read, else by name. */
  readonly steps: readonly ProvenanceStep[];
}

/** The provenance of what the steps of a study last made. */
export async function provenanceOf(store: Store, study: string): Promise<Provenance> {
  return provenanceOfArtifacts(study, await studyArtifacts(store, study));
}

export function provenanceOfArtifacts(study: string, artifacts: ReadonlyMap<string, Artifact>): Provenance {
  const makers = makersOf(artifacts);
  const steps = [...artifacts].map(([step, artifact]) => stepOf(step, artifact, makers));
  return { study, steps: inOrder(steps.sort((a, b) => (a.step < b.step ? -1 : 1))) };
}

/** A file of results that another report or study made: what it is called here, and its hash. */
export interface ResultsFile {
  readonly name: string;
  readonly sha256: string;
}

/** The provenance of results that were put together from files, whose own provenance stands in the reports they come from. */
export function provenanceOfFiles(study: string, files: readonly ResultsFile[]): Provenance {
  const inputs = files.map(({ name, sha256 }) => ({ role: 'results', name, sha256, from: [] }));
  const step = { step: 'merge', kind: 'merge', version: 1, params: null, inputs };
  return { study, steps: [{ ...step, identity: hashOf(step), outputs: [] }] };
}

/** Steps by the hash of what they made. */
function makersOf(artifacts: ReadonlyMap<string, Artifact>): ReadonlyMap<string, readonly string[]> {
  const makers = new Map<string, string[]>();
  for (const [step, { outputs }] of artifacts)
    for (const { sha256 } of Object.values(outputs)) {
      const known = makers.get(sha256) ?? [];
      if (!known.includes(step)) makers.set(sha256, [...known, step].sort());
    }
  return makers;
}

function stepOf(
  step: string,
  { identity, fingerprint, outputs }: Artifact,
  makers: ReadonlyMap<string, readonly string[]>,
): ProvenanceStep {
  const { kind, version, params, inputs } = fingerprint;
  return {
    step,
    kind,
    version,
    identity,
    params: params ?? null,
    inputs: Object.entries(inputs).flatMap(([role, digests]) =>
      digests.map(({ name, sha256 }) => ({ role, name, sha256, from: makers.get(sha256) ?? [] })),
    ),
    outputs: Object.entries(outputs).map(([name, { holds, sha256, bytes }]) => ({
      name,
      holds,
      sha256,
      bytes,
    })),
  };
}

/** Producers before readers. Steps that read each other's contents (equal outputs can look so) keep their place. */
function inOrder(steps: readonly ProvenanceStep[]): ProvenanceStep[] {
  const byName = new Map(steps.map(step => [step.step, step]));
  const seen = new Set<string>();
  const ordered: ProvenanceStep[] = [];
  const visit = (step: ProvenanceStep) => {
    if (seen.has(step.step)) return;
    seen.add(step.step);
    for (const name of step.inputs.flatMap(input => input.from)) visit(byName.get(name)!);
    ordered.push(step);
  };
  steps.forEach(visit);
  return ordered;
}
