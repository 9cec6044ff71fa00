/**
 * Study files. A file is read by the form whose key it has: `steps` for the plain list of steps below; others, which expand a few
 * lines into many steps, are given by the caller. Whatever the form, the result is checked by `checkStudy`, and all faults come together.
 */
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigDocument, type Environment, InputError, type Overrides, Problems } from '../base/index.ts';
import { checkStudy, type Study } from './graph.ts';
import type { Registry } from './registry.ts';
import { type InputRef, NAME, NAME_RULE, type StepSpec } from './spec.ts';

export interface StudyForm {
  /** The top-level key by which a file of this form is known. */
  readonly key: string;
  /**
   * The steps of the document, each with its places. Faults go to `problems`; what can still be read is returned all the same, so
   * that faults elsewhere are found in the same pass. `folder` is where relative paths of the file begin.
   */
  read(
    document: ConfigDocument,
    folder: string,
    problems: Problems,
  ): readonly StepSpec[] | Promise<readonly StepSpec[]>;
}

export interface ReadStudyOptions {
  /** The first whose key the file has is used. */
  readonly forms: readonly StudyForm[];
  readonly registry: Registry;
  readonly environment: Environment;
  readonly overrides?: Overrides;
}

/** Reads and checks a study file. Throws one `InputError` with everything that is wrong with it. */
export async function readStudy(path: string, options: ReadStudyOptions): Promise<Study> {
  const problems = new Problems();
  const document = await ConfigDocument.read(path, options.environment, options.overrides ?? [], problems);
  const name = document.check(nameSchema, ['name'], problems);
  const form = options.forms.find(({ key }) => has(document.value, key));
  if (!form) {
    const keys = options.forms.map(({ key }) => `'${key}'`).join(' or ');
    problems.add(document.locate([]), `this is no study file: expected the key ${keys}`);
    throw new InputError(problems.list());
  }
  const steps = await form.read(document, dirname(resolve(path)), problems);
  const study = await checkStudy({ name: name ?? 'unnamed', steps }, options.registry, problems);
  problems.throwIfAny();
  return study as Study;
}

/** The name a study file gives itself, whatever else is in it. */
export async function readStudyName(path: string): Promise<string> {
  const problems = new Problems();
  const document = await ConfigDocument.read(path, {}, [], new Problems()); // unset variables do not matter here
  const name = document.check(nameSchema, ['name'], problems);
  problems.throwIfAny();
  return name as string;
}

function has(value: unknown, key: string): boolean {
  return value !== null && typeof value === 'object' && Object.hasOwn(value, key);
}

const nameSchema = z.string().regex(NAME, NAME_RULE);

/** `name: ..., steps: [{name, kind, params, inputs}]`. */
export const listForm: StudyForm = {
  key: 'steps',
  read(document, folder, problems) {
    document.check(
      z.strictObject({ name: z.unknown().optional(), steps: z.unknown().optional() }),
      [],
      problems,
    );
    const items = document.check(
      z.array(z.unknown()).min(1, 'expected at least one step'),
      ['steps'],
      problems,
    );
    return (items ?? []).flatMap((_, i) => stepAt(document, ['steps', i], folder, problems) ?? []);
  },
};

const stepKeys = z.strictObject({
  name: z.unknown().optional(),
  kind: z.unknown().optional(),
  params: z.unknown().optional(),
  inputs: z.unknown().optional(),
});

/**
 * The step that stands at a path of a document, for forms that hold lists of steps. Every part is read for itself, so that one
 * wrong part does not hide what is wrong with the others; a step without a name is none.
 */
export function stepAt(
  document: ConfigDocument,
  path: readonly PropertyKey[],
  folder: string,
  problems: Problems,
): StepSpec | undefined {
  if (!document.check(z.record(z.string(), z.unknown()), path, problems)) return undefined;
  document.check(stepKeys, path, problems);
  const part = <T>(key: string, schema: z.ZodType<T>) => document.check(schema, [...path, key], problems);
  const name = part('name', nameSchema);
  const kind = part('kind', z.string());
  const params = part('params', z.record(z.string(), z.unknown()).optional());
  const inputs = part('inputs', z.record(z.string(), z.unknown()).optional());
  if (name === undefined) return undefined;
  const refs = Object.keys(inputs ?? {}).map(
    key => [key, refsAt(document, [...path, 'inputs', key], folder, problems)] as const,
  );
  const source = (inner: readonly PropertyKey[]) => document.locate([...path, ...inner]);
  return { name, kind, params: params ?? {}, inputs: Object.fromEntries(refs), source };
}

const REF_RULE = "expected 'step', 'step/output', or {path: file or folder}";
const refShape = z.union([
  z.string().regex(/^[^/]+(\/[^/]+)?$/),
  z.strictObject({ path: z.string().min(1) }),
]);
type RefText = z.infer<typeof refShape>;
const refSchema = z.custom<RefText>(value => refShape.safeParse(value).success, REF_RULE);
const refsSchema = z.union([refSchema, z.array(refSchema)]);

function refsAt(
  document: ConfigDocument,
  path: readonly PropertyKey[],
  folder: string,
  problems: Problems,
): InputRef | readonly InputRef[] | undefined {
  const value = document.check(refsSchema, path, problems);
  if (value === undefined) return undefined;
  return Array.isArray(value) ? value.map(ref => refOf(ref, folder)) : refOf(value, folder);
}

function refOf(ref: RefText, folder: string): InputRef {
  if (typeof ref !== 'string') return { path: resolve(folder, ref.path) };
  const [step, output] = ref.split('/');
  return output === undefined ? { step: step! } : { step: step!, output };
}
