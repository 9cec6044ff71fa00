/**
 * YAML files from users: read whole, checked against a zod schema, every problem reported at once with line and column.
 * `${NAME}` inside a string is replaced by that environment variable.
 */
import { createRequire } from 'node:module';
import type { Document, Node, YAMLSeq } from 'yaml';
import type { z } from 'zod';
import { InputError, messageOf, Problems } from './errors.ts';
import { readInputText } from './files.ts';

/** Loaded where a document is read: most commands read none, and should not wait for it. */
const require = createRequire(import.meta.url);
const yaml = (): typeof import('yaml') => require('yaml');

export type Environment = Readonly<Record<string, string | undefined>>;

/** Says where a value stands: `study.yaml:12:5`. For a missing key, where the map is that it is missing from. */
export type Locate = (path: readonly PropertyKey[]) => string;

/** Overrides as typed on a command line: `['rungs.0.tokens=1e6']`. Values are YAML; a list of named maps is also addressed by name. */
export type Overrides = readonly string[];

const MAX_BYTES = 16 << 20;

/** Reads a configuration file. Throws one `InputError` that lists every unknown key, wrong type and unset variable. */
export async function readConfig<T>(
  path: string,
  schema: z.ZodType<T>,
  environment: Environment,
  overrides: Overrides = [],
): Promise<T> {
  return parseConfig(await readInputText(path, MAX_BYTES), path, schema, environment, overrides);
}

/** The same, on text that is already in memory; `name` stands for the file in messages. */
export function parseConfig<T>(
  text: string,
  name: string,
  schema: z.ZodType<T>,
  environment: Environment,
  overrides: Overrides = [],
): T {
  const problems = new Problems();
  const document = ConfigDocument.parse(text, name, environment, overrides, problems);
  const value = document.check(schema, [], problems);
  problems.throwIfAny();
  return value as T;
}

/**
 * A YAML document before any schema: plain data that remembers where each value stands. For files whose parts are checked
 * one by one, or whose values refer to each other, so that those faults too carry a line and are reported with the rest.
 */
export class ConfigDocument {
  /** The data, with `${NAME}` filled in and overrides applied. */
  readonly value: unknown;
  readonly locate: Locate;

  private constructor(value: unknown, locate: Locate) {
    this.value = value;
    this.locate = locate;
  }

  static async read(
    path: string,
    environment: Environment,
    overrides: Overrides,
    problems: Problems,
  ): Promise<ConfigDocument> {
    const text = await readInputText(path, MAX_BYTES);
    return ConfigDocument.parse(text, path, environment, overrides, problems);
  }

  /** Throws where the text is no YAML; adds unset variables to `problems`. */
  static parse(
    text: string,
    name: string,
    environment: Environment,
    overrides: Overrides,
    problems: Problems,
  ): ConfigDocument {
    const { LineCounter, parseDocument } = yaml();
    const lines = new LineCounter();
    const document = parseDocument(text, {
      lineCounter: lines,
      maxAliasCount: 100,
      uniqueKeys: true,
    } as object);
    const at = (offset: number | undefined) => {
      const { line, col } = lines.linePos(offset ?? 0);
      return `${name}:${line}:${col}`;
    };
    const syntax = new Problems();
    for (const error of document.errors) syntax.add(at(error.pos[0]), error.message.split('\n')[0] ?? '');
    syntax.throwIfAny();
    const applied = overrides.map(override => applyOverride(document, override));
    const locate: Locate = path => {
      const set = applied.find(({ path: prefix }) => isPrefix(prefix, path));
      return set ? `--set ${set.text}` : at(nodeAt(document.contents as Node | null, path)?.range?.[0]);
    };
    const report = (path: readonly PropertyKey[], message: string) => problems.add(locate(path), message);
    return new ConfigDocument(substitute(dataOf(document, name), environment, [], [], report), locate);
  }

  /** The part of the document at `path`, checked: undefined, and its faults added to `problems`, where it does not fit. */
  check<T>(schema: z.ZodType<T>, path: readonly PropertyKey[], problems: Problems): T | undefined {
    return checkValue(schema, valueAt(this.value, path), path, this.locate, problems);
  }
}

/** Checks a value that stands at `path` of some document; adds every fault, with its place, to `problems`. */
export function checkValue<T>(
  schema: z.ZodType<T>,
  value: unknown,
  path: readonly PropertyKey[],
  locate: Locate,
  problems: Problems,
): T | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of flatten(parsed.error.issues)) {
    const full = [...path, ...issue.path];
    for (const { key, message } of faults(issue))
      problems.add(locate(key === undefined ? full : [...full, key]), describe(full, message));
  }
  return undefined;
}

/** A document as plain data. Unknown aliases, and aliases by the million, are refused here. */
function dataOf(document: Document.Parsed, where: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new InputError(where, messageOf(error));
  }
}

interface Override {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

function applyOverride(document: Document.Parsed, text: string): Override {
  const where = `--set ${text}`;
  const equals = text.indexOf('=');
  if (equals < 1) throw new InputError(where, 'expected path.to.key=value');
  const value = yaml().parseDocument(text.slice(equals + 1));
  if (value.errors.length > 0)
    throw new InputError(where, `the value is not YAML: ${value.errors[0]!.message}`);
  const path = overridePath(document, text.slice(0, equals).split('.'), where);
  const data = dataOf(value, where);
  try {
    document.setIn(path, data);
  } catch (error) {
    throw new InputError(where, `cannot be set: ${messageOf(error)}`);
  }
  return { path, text };
}

/** Turns `steps.finetune.params` into keys and indices: an item of a list goes by its number or by its `name`. */
function overridePath(
  document: Document.Parsed,
  parts: readonly string[],
  where: string,
): (string | number)[] {
  const path: (string | number)[] = [];
  for (const part of parts) {
    const parent: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
    path.push(yaml().isSeq(parent) ? indexOf(parent, part, where) : part);
  }
  return path;
}

function indexOf(list: YAMLSeq, part: string, where: string): number {
  if (/^\d+$/.test(part) && Number(part) <= list.items.length) return Number(part);
  const index = list.items.findIndex(item => yaml().isMap(item) && item.get('name') === part);
  if (index < 0) throw new InputError(where, `the list has no item '${part}'`);
  return index;
}

function isPrefix(prefix: readonly PropertyKey[], path: readonly PropertyKey[]): boolean {
  return prefix.length <= path.length && prefix.every((key, i) => String(key) === String(path[i]));
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      inner !== null && typeof inner === 'object' && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

/** The deepest node that exists on the way to `path`: for a missing key, the map it is missing from. */
function nodeAt(root: Node | null, path: readonly PropertyKey[]): Node | null {
  let node = root;
  for (const key of path) {
    const next = child(node, key);
    if (next === null) break;
    node = next;
  }
  return node;
}

function child(node: Node | null, key: PropertyKey): Node | null {
  if (node === null || !('get' in node) || typeof node.get !== 'function') return null;
  const next: unknown = node.get(key, true);
  return yaml().isNode(next) ? next : null;
}

type Issue = z.core.$ZodIssue;

/** A union that fails hides the reasons of its members: report the member that got furthest. */
function flatten(issues: readonly Issue[]): Issue[] {
  return issues.flatMap(issue => {
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
    const best = [...issue.errors].sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0]!;
    return flatten(best).map(inner => ({ ...inner, path: [...issue.path, ...inner.path] }));
  });
}

function depth(issues: readonly Issue[]): number {
  return Math.max(0, ...issues.map(issue => issue.path.length));
}

/** One message an unknown key, each at its own place; otherwise the issue's own message. */
function faults(issue: Issue): readonly { readonly key?: string; readonly message: string }[] {
  if (issue.code !== 'unrecognized_keys') return [{ message: issue.message }];
  return issue.keys.map(key => ({ key, message: `unknown key '${key}'` }));
}

function describe(path: readonly PropertyKey[], message: string): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`;
}

function substitute(
  value: unknown,
  environment: Environment,
  path: readonly PropertyKey[],
  above: readonly object[],
  report: (path: readonly PropertyKey[], message: string) => void,
): unknown {
  if (typeof value === 'string') return substituteText(value, environment, message => report(path, message));
  if (value === null || typeof value !== 'object') return value;
  if (above.includes(value)) {
    report(path, 'an alias stands inside what it stands for');
    return null;
  }
  const inner = (key: PropertyKey, item: unknown) =>
    substitute(item, environment, [...path, key], [...above, value], report);
  if (Array.isArray(value)) return value.map((item, i) => inner(i, item));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(key, item)]));
}

function substituteText(text: string, environment: Environment, report: (message: string) => void): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => {
    const found = environment[name];
    if (found === undefined || found === '') report(`the environment variable ${name} is not set`);
    return found ?? whole;
  });
}
