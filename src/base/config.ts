/**
 * YAML files from users: read whole, checked against a zod schema, every problem reported at once with line and column.
 * `${NAME}` inside a string is replaced by that environment variable.
 */
import { isNode, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { InputError, Problems } from './errors.ts';
import { readInputText } from './files.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A position in a YAML text, and a way to say it: `study.yaml:12:5`. */
type Locate = (path: readonly PropertyKey[]) => string;

/** Overrides as typed on a command line: `['rungs.0.tokens=1e6']`. Values are YAML. */
export type Overrides = readonly string[];

/** Reads a configuration file. Throws one `InputError` that lists every unknown key, wrong type and unset variable. */
export async function readConfig<T>(
  path: string,
  schema: z.ZodType<T>,
  environment: Environment,
  overrides: Overrides = [],
): Promise<T> {
  return parseConfig(await readInputText(path, 16 << 20), path, schema, environment, overrides);
}

/** The same, on text that is already in memory; `name` stands for the file in messages. */
export function parseConfig<T>(
  text: string,
  name: string,
  schema: z.ZodType<T>,
  environment: Environment,
  overrides: Overrides = [],
): T {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    maxAliasCount: 100,
    uniqueKeys: true,
  } as object);
  const problems = new Problems();
  const at = (offset: number | undefined) => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${name}:${line}:${col}`;
  };
  for (const error of document.errors) problems.add(at(error.pos[0]), error.message.split('\n')[0] ?? '');
  problems.throwIfAny();
  for (const override of overrides) applyOverride(document, override);
  const locate: Locate = path => at(nodeAt(document.contents as Node | null, path)?.range?.[0]);
  const value = substitute(document.toJS(), environment, [], (path, message) =>
    problems.add(locate(path), message),
  );
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    for (const issue of flatten(parsed.error.issues)) problems.add(whereOf(issue, locate), describe(issue));
  problems.throwIfAny();
  return (parsed as { data: T }).data;
}

function applyOverride(document: ReturnType<typeof parseDocument>, override: string): void {
  const equals = override.indexOf('=');
  if (equals < 1) throw new InputError(`--set ${override}`, 'expected path.to.key=value');
  const path = override
    .slice(0, equals)
    .split('.')
    .map(part => (/^\d+$/.test(part) ? Number(part) : part));
  document.setIn(path, parseDocument(override.slice(equals + 1)).toJS());
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
  return isNode(next) ? next : null;
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

function whereOf(issue: Issue, locate: Locate): string {
  if (issue.code === 'unrecognized_keys') return locate([...issue.path, issue.keys[0]!]);
  return locate(issue.path);
}

function describe(issue: Issue): string {
  const where = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map(key => `'${key}'`).join(', ');
    return `${where ? `${where}: ` : ''}unknown key ${keys}`;
  }
  return `${where ? `${where}: ` : ''}${issue.message}`;
}

function substitute(
  value: unknown,
  environment: Environment,
  path: readonly PropertyKey[],
  report: (path: readonly PropertyKey[], message: string) => void,
): unknown {
  if (typeof value === 'string') return substituteText(value, environment, message => report(path, message));
  if (Array.isArray(value))
    return value.map((item, i) => substitute(item, environment, [...path, i], report));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [k, substitute(v, environment, [...path, k], report)]),
  );
}

function substituteText(text: string, environment: Environment, report: (message: string) => void): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, name: string) => {
    const found = environment[name];
    if (found === undefined || found === '') report(`the environment variable ${name} is not set`);
    return found ?? whole;
  });
}
