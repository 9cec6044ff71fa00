/**
 * From a list of steps to a checked graph: every kind known, every parameter of the right type, every reference pointing at an
 * output of the right type, no two steps of one name, no cycle, no file missing. All faults are found in one pass.
 */
import { stat } from 'node:fs/promises';
import { checkValue, InternalError, type Locate, type Problems } from '../base/index.ts';
import { plainJson } from './fingerprint.ts';
import type { AnyStepKind, Estimate, Slot } from './kind.ts';
import type { RegisteredKind, Registry } from './registry.ts';
import {
  type InputRef,
  MANIFEST,
  NAME,
  NAME_RULE,
  type StepRef,
  type StepSpec,
  type StudySpec,
} from './spec.ts';

/** Where one artifact comes from, after checking. */
export type Source = { readonly step: string; readonly output: string } | { readonly path: string };

export interface Step {
  readonly name: string;
  readonly kind: AnyStepKind;
  readonly module: string;
  /** Checked, with defaults, as plain JSON data. */
  readonly params: unknown;
  /** By input name; one source for a `one` input, none or one for an `optional` one. */
  readonly sources: Readonly<Record<string, readonly Source[]>>;
  /** Output name -> type. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly memoryBytes: number | undefined;
  readonly estimate: Estimate;
  /** The steps it reads from, each once. */
  readonly needs: readonly string[];
}

export interface Study {
  readonly name: string;
  /** Every step after those it needs; otherwise in the order of the study file. */
  readonly steps: readonly Step[];
}

/** A step whose kind and parameters are right; its references are checked next. */
interface Draft {
  readonly spec: StepSpec;
  readonly registered: RegisteredKind;
  readonly params: unknown;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Checks a whole study. Returns undefined, with every fault in `problems`, where it cannot be run. */
export async function checkStudy(
  spec: StudySpec,
  registry: Registry,
  problems: Problems,
): Promise<Study | undefined> {
  const before = problems.count;
  const specs = distinctSteps(spec.steps, problems);
  const drafts = new Map<string, Draft>();
  const told = new Set<string>();
  for (const step of specs.values()) {
    const draft = draftOf(step, registry, problems);
    if (draft) drafts.set(step.name, draft);
    await checkTargets(step, specs, told, problems);
  }
  const steps = [...drafts.values()].map(draft => stepOf(draft, sourcesOf(draft, drafts, problems)));
  reportCycles([...specs.values()], problems);
  return problems.count > before ? undefined : { name: spec.name, steps: inOrder(steps) };
}

export function sourceOf(step: StepSpec): Locate {
  return step.source ?? (() => `step ${step.name}`);
}

/** The steps by name. Names that differ only in case would share a file on some systems. */
function distinctSteps(steps: readonly StepSpec[], problems: Problems): Map<string, StepSpec> {
  const distinct = new Map<string, StepSpec>();
  const folded = new Map<string, StepSpec>();
  for (const step of steps) {
    const where = sourceOf(step)(['name']);
    const other = folded.get(step.name.toLowerCase());
    if (!NAME.test(step.name)) problems.add(where, `step name '${step.name}': ${NAME_RULE}`);
    if (other)
      problems.add(
        where,
        `two steps are called '${step.name}'; the other one is at ${sourceOf(other)(['name'])}`,
      );
    else {
      folded.set(step.name.toLowerCase(), step);
      distinct.set(step.name, step);
    }
  }
  return distinct;
}

function draftOf(spec: StepSpec, registry: Registry, problems: Problems): Draft | undefined {
  if (spec.kind === undefined) return undefined;
  const source = sourceOf(spec);
  const registered = registry.get(spec.kind);
  if (!registered) {
    const known = registry.names().join(', ') || 'none';
    problems.add(source(['kind']), `unknown step kind '${spec.kind}'; known kinds: ${known}`);
    return undefined;
  }
  const checked = checkValue(registered.kind.schema, spec.params ?? {}, ['params'], source, problems);
  if (checked === undefined) return undefined;
  const params = plainJson(checked, `the parameters of step kind '${spec.kind}'`);
  const outputs = registered.kind.outputs(params);
  refuseBadOutputs(spec.kind, Object.keys(outputs));
  return { spec, registered, params, outputs };
}

/** Outputs become files beside the manifest: a kind that names them badly is a bug of its author. */
function refuseBadOutputs(kind: string, names: readonly string[]): void {
  const folded = new Set(names.map(name => name.toLowerCase()));
  const bad = names.filter(name => !NAME.test(name) || name.toLowerCase() === MANIFEST);
  if (bad.length > 0 || folded.size !== names.length || names.length === 0)
    throw new InternalError(`step kind '${kind}' declares impossible outputs: ${names.join(', ') || 'none'}`);
}

function stepOf(draft: Draft, sources: Readonly<Record<string, readonly Source[]>>): Step {
  const { kind, module } = draft.registered;
  const { threads = 1, memoryBytes } = kind.resources?.(draft.params) ?? {};
  const all = Object.values(sources).flat();
  return {
    name: draft.spec.name,
    kind,
    module,
    params: draft.params,
    sources,
    outputs: draft.outputs,
    threads,
    memoryBytes,
    estimate: draft.spec.estimate ?? kind.estimate?.(draft.params) ?? {},
    needs: [...new Set(all.flatMap(source => ('step' in source ? [source.step] : [])))],
  };
}

/** The sources of each declared input of a step; what does not fit is reported and left out. */
function sourcesOf(
  draft: Draft,
  drafts: ReadonlyMap<string, Draft>,
  problems: Problems,
): Record<string, readonly Source[]> {
  const { spec, registered } = draft;
  const given = spec.inputs ?? {};
  const slots = registered.kind.inputs;
  const at = sourceOf(spec);
  for (const name of Object.keys(given)) {
    const known = Object.keys(slots).join(', ') || 'none';
    if (!Object.hasOwn(slots, name))
      problems.add(
        at(['inputs', name]),
        `step kind '${spec.kind}' has no input '${name}'; its inputs: ${known}`,
      );
  }
  const sources: Record<string, readonly Source[]> = {};
  for (const [name, slot] of Object.entries(slots)) {
    const value = Object.hasOwn(given, name) ? given[name] : [];
    if (value === undefined) continue;
    const refs = placedRefs(at, name, value);
    if (!countFits(slot, refs.length))
      problems.add(
        at(['inputs', name]),
        `input '${name}' of step '${spec.name}': ${countRule(slot)}, found ${refs.length}`,
      );
    sources[name] = refs.flatMap(({ ref, where }) => {
      if ('path' in ref) return [{ path: ref.path }];
      const target = drafts.get(ref.step);
      const source = target && outputOf(ref, slot, target.outputs, message => problems.add(where, message));
      return source ? [source] : [];
    });
  }
  return sources;
}

interface PlacedRef {
  readonly ref: InputRef;
  readonly where: string;
}

function placedRefs(at: Locate, name: string, value: InputRef | readonly InputRef[]): PlacedRef[] {
  if (!isList(value)) return [{ ref: value, where: at(['inputs', name]) }];
  return value.map((ref, i) => ({ ref, where: at(['inputs', name, i]) }));
}

/** Every reference of a step that could be read, whether its kind has such an input or not. */
function referencesOf(step: StepSpec): PlacedRef[] {
  const at = sourceOf(step);
  return Object.entries(step.inputs ?? {}).flatMap(([name, value]) =>
    value === undefined ? [] : placedRefs(at, name, value),
  );
}

async function faultOfPath(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return `no such file or folder: ${path}`;
  return found.isFile() || found.isDirectory() ? undefined : `neither a file nor a folder: ${path}`;
}

/** Does everything that a step refers to exist? A path that is not there is reported once; `told` holds those that were. */
async function checkTargets(
  step: StepSpec,
  specs: ReadonlyMap<string, StepSpec>,
  told: Set<string>,
  problems: Problems,
): Promise<void> {
  for (const { ref, where } of referencesOf(step)) {
    if ('step' in ref) {
      if (!specs.has(ref.step)) problems.add(where, `unknown step '${ref.step}'`);
      continue;
    }
    if (told.has(ref.path)) continue; // by another of the many steps that read it
    const fault = await faultOfPath(ref.path);
    if (fault === undefined) continue;
    told.add(ref.path);
    problems.add(where, fault);
  }
}

function isList(value: InputRef | readonly InputRef[]): value is readonly InputRef[] {
  return Array.isArray(value);
}

function countFits(slot: Slot, found: number): boolean {
  if (slot.count === 'any') return true;
  if (slot.count === 'many') return found >= 1;
  return found === 1 || (slot.count === 'optional' && found === 0);
}

function countRule(slot: Slot): string {
  const rules = {
    one: 'expected one',
    optional: 'expected one or none',
    many: 'expected at least one',
    any: 'expected any',
  };
  return `${rules[slot.count]} artifact of type '${slot.type}'`;
}

/** The output a reference means: the one it names, or the only one of the input's type. */
function outputOf(
  ref: StepRef,
  slot: Slot,
  outputs: Readonly<Record<string, string>>,
  report: (message: string) => void,
): Source | undefined {
  const listed = Object.entries(outputs).map(([name, type]) => `${name} (${type})`);
  if (ref.output === undefined) {
    const fitting = Object.keys(outputs).filter(name => outputs[name] === slot.type);
    if (fitting.length === 1) return { step: ref.step, output: fitting[0]! };
    const found = fitting.length === 0 ? 'no output' : `${fitting.length} outputs`;
    report(`step '${ref.step}' has ${found} of type '${slot.type}'; its outputs: ${listed.join(', ')}`);
    return undefined;
  }
  if (!Object.hasOwn(outputs, ref.output)) {
    report(`step '${ref.step}' has no output '${ref.output}'; its outputs: ${listed.join(', ')}`);
    return undefined;
  }
  if (outputs[ref.output] !== slot.type) {
    report(
      `expected an artifact of type '${slot.type}', but ${ref.step}/${ref.output} is of type '${outputs[ref.output]}'`,
    );
    return undefined;
  }
  return { step: ref.step, output: ref.output };
}

/** Reports every cycle that a depth-first walk closes, as the path it takes: `a -> b -> c -> a`. */
function reportCycles(steps: readonly StepSpec[], problems: Problems): void {
  const byName = new Map(steps.map(step => [step.name, step]));
  const finished = new Set<string>();
  for (const root of steps) {
    if (finished.has(root.name)) continue;
    const path: string[] = [root.name]; // the walk keeps its own stack: a long chain must not exhaust the engine's
    const pending = [referencesOf(root)];
    while (path.length > 0) {
      const next = pending.at(-1)!.shift();
      if (next === undefined) {
        finished.add(path.pop()!);
        pending.pop();
        continue;
      }
      if (!('step' in next.ref)) continue;
      const to = next.ref.step;
      const from = path.indexOf(to);
      if (from >= 0)
        problems.add(next.where, `steps form a cycle: ${[...path.slice(from), to].join(' -> ')}`);
      else if (byName.has(to) && !finished.has(to)) {
        path.push(to);
        pending.push(referencesOf(byName.get(to)!));
      }
    }
  }
}

/** Topological order that keeps the given one wherever it can. */
function inOrder(steps: readonly Step[]): Step[] {
  const byName = new Map(steps.map(step => [step.name, step]));
  const placed = new Set<Step>();
  for (const root of steps) {
    const stack = [root];
    while (stack.length > 0) {
      const step = stack.at(-1)!;
      const missing = step.needs.map(name => byName.get(name)!).filter(need => !placed.has(need));
      if (missing.length > 0) stack.push(...missing.reverse());
      else {
        placed.add(step);
        stack.pop();
      }
    }
  }
  return [...placed];
}
