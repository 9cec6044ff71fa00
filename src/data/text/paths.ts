/** Files, folders and patterns as typed on a command line, turned into a list of files in an order that does not depend on the machine. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { InputError, Problems, unreadable } from '../../base/index.ts';

export interface FoundFile {
  readonly path: string;
  /**
   * The path from the folder that was named (its own name first) or from the first `*` or `?` of a pattern, with `/`: the same wherever
   * the files lie.
   */
  readonly name: string;
  readonly bytes: number;
}

/** Which files are looked for. */
export interface FileKind {
  readonly accepts: (path: string) => boolean;
  /** For messages: `.txt, .jsonl`. */
  readonly names: string;
}

/**
 * The files that `named` stands for: each in turn a file, a folder (with all below it) or a pattern with `*`, `**` and `?`. In folders and
 * patterns only files of that kind count, sorted by name; names with a leading dot never do. A name that stands
 * for nothing, and a file that is named twice, are problems.
 */
export async function findFiles(named: readonly string[], kind: FileKind): Promise<FoundFile[]> {
  const problems = new Problems();
  const files = new Map<string, FoundFile>();
  for (const name of named) {
    for (const file of await filesOf(name, kind, problems)) {
      const key = resolve(file.path);
      if (files.has(key)) problems.add(file.path, 'is named twice: its text would count double');
      files.set(key, file);
    }
  }
  problems.throwIfAny();
  return [...files.values()];
}

async function filesOf(name: string, kind: FileKind, problems: Problems): Promise<FoundFile[]> {
  const found = await stat(name).catch((error: unknown) => unreadable(name, error));
  if (found instanceof InputError) {
    if (isPattern(name)) return matching(name, kind, problems);
    problems.add(name, found.problems[0]!.message);
    return [];
  }
  if (found.isDirectory()) {
    const files = await below(name, dirname(resolve(name)), kind);
    if (files.length === 0) problems.add(name, `holds no file of a kind that is read (${kind.names})`);
    return files;
  }
  if (!found.isFile()) problems.add(name, 'is neither a file nor a folder');
  else if (!kind.accepts(name)) problems.add(name, `is of no kind that is read (${kind.names})`);
  else return [{ path: name, name: basename(name), bytes: found.size }];
  return [];
}

const isPattern = (name: string) => /[*?]/.test(name);

async function matching(pattern: string, kind: FileKind, problems: Problems): Promise<FoundFile[]> {
  const parts = pattern.split(/[\\/]/);
  const fixed = parts.slice(0, parts.findIndex(isPattern));
  const root = fixed.length === 0 ? '.' : fixed.join('/') || '/';
  const expression = patternToRegExp(parts.slice(fixed.length).join('/'));
  const isFolder = (await stat(root).catch(() => undefined))?.isDirectory() ?? false;
  const all = isFolder ? await below(root, root, kind) : [];
  const files = all.filter(file => expression.test(file.name));
  if (files.length === 0)
    problems.add(pattern, `no file of a kind that is read (${kind.names}) matches this pattern`);
  return files;
}

/** `*` and `?` stay within a name, `**` goes across folders. */
function patternToRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/?|[*?]|[.+^${}()|[\]\\]/g, part => {
    if (part.startsWith('**')) return part.endsWith('/') ? '(?:.*/)?' : '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : `\\${part}`;
  });
  return new RegExp(`^${source}$`);
}

/** The files of that kind below a folder, named from `base` on. Links to folders are not followed, so that there is no circle. */
async function below(folder: string, base: string, kind: FileKind): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) files.push(...(await below(path, base, kind)));
    else if (kind.accepts(path)) {
      const found = await stat(path).catch(() => undefined);
      if (found?.isFile())
        files.push({ path, name: relative(base, path).split(sep).join('/'), bytes: found.size });
    }
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}
