/**
 * What identifies a step: all that it reads, and nothing else. Equal fingerprints mean equal outputs, so the hash of a
 * fingerprint is the address under which a step's outputs are stored, whatever the step or the study is called.
 */
import { hashOf, InternalError } from '../base/index.ts';

/** Content of a file or folder, as an input of a step. */
export interface InputDigest {
  /** Its last path component: a step may tell formats and data sets apart by it. */
  readonly name: string;
  readonly type: 'file' | 'folder';
  /** Of a file: of its bytes. Of a folder: of the list of its files' paths and hashes. */
  readonly sha256: string;
}

export interface Fingerprint {
  /** Of this object: a later engine that identifies steps in another way must not find these. */
  readonly format: 1;
  readonly kind: string;
  /** The code that does the work, as its author counts changes that matter. */
  readonly version: number;
  /** Defaults filled in, so that writing a default out changes nothing. */
  readonly params: unknown;
  /**
   * By content, not by what made it: when a step runs again and writes the same bytes, the steps after it need not.
   * Paths of outside files are left out, since moving a file changes nothing.
   */
  readonly inputs: Readonly<Record<string, readonly InputDigest[]>>;
}

/** 64 hex digits. */
export function identityOf(fingerprint: Fingerprint): string {
  return hashOf(fingerprint);
}

/** Twelve digits tell steps apart for people. */
export function shortIdentity(identity: string): string {
  return identity.slice(0, 12);
}

/** A deep copy of a value that JSON holds exactly; anything else (a Date, a Map, NaN) is a fault in the schema that let it pass. */
export function plainJson(value: unknown, what: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value; // -0 has no text of its own
  if (Array.isArray(value)) return value.map((item, i) => plainJson(item, `${what}[${i}]`));
  if (typeof value === 'object' && isPlain(value)) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
    return Object.fromEntries(entries.map(([key, inner]) => [key, plainJson(inner, `${what}.${key}`)]));
  }
  throw new InternalError(`${what} must be plain JSON data, found ${describeValue(value)}`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describeValue(value: unknown): string {
  if (typeof value === 'object') return value?.constructor.name ?? 'an object';
  return typeof value === 'number' ? String(value) : `a ${typeof value}`;
}

/** One difference between two fingerprints. `old` or `new` is undefined where the field is not there. */
export interface Change {
  /** `params.finetune.temperature`, `inputs.text`, `version`. */
  readonly path: string;
  readonly old: unknown;
  readonly new: unknown;
}

/** What differs, field by field, apart from the inputs whose content is not known yet. */
export function changesBetween(
  older: Fingerprint,
  newer: Fingerprint,
  unknown: ReadonlySet<string> = new Set(),
): Change[] {
  if (older.kind !== newer.kind) return [{ path: 'kind', old: older.kind, new: newer.kind }]; // the rest does not compare
  const names = [...new Set([...Object.keys(older.inputs), ...Object.keys(newer.inputs)])];
  return [
    ...differences('version', older.version, newer.version),
    ...differences('params', older.params, newer.params),
    ...names
      .filter(name => !unknown.has(name))
      .flatMap(name =>
        differences(`inputs.${name}`, fieldOf(older.inputs, name), fieldOf(newer.inputs, name)),
      ),
  ];
}

function differences(path: string, older: unknown, newer: unknown): Change[] {
  if (isObject(older) && isObject(newer)) {
    const keys = [...new Set([...Object.keys(older), ...Object.keys(newer)])];
    return keys.flatMap(key => differences(`${path}.${key}`, fieldOf(older, key), fieldOf(newer, key)));
  }
  const same =
    (older === undefined) === (newer === undefined) && hashOf({ v: older }) === hashOf({ v: newer });
  return same ? [] : [{ path, old: older, new: newer }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function fieldOf(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
