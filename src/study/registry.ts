/** Which kinds there are, and which module each comes from. */
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { InputError, InternalError, messageOf } from '../base/index.ts';
import type { AnyStepKind } from './kind.ts';

export interface RegisteredKind {
  readonly kind: AnyStepKind;
  /** Address of the module that exports it, for `import()` in a child process. */
  readonly module: string;
}

const isFunction = (value: unknown) => typeof value === 'function';

const kindShape = z.object({
  kind: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
  version: z.number().int().positive(),
  schema: z.object({ safeParse: z.custom(isFunction) }),
  inputs: z.record(
    z.string(),
    z.object({ type: z.string(), count: z.enum(['one', 'optional', 'many', 'any']) }),
  ),
  outputs: z.custom(isFunction, 'expected a function of the parameters'),
  resources: z.custom(isFunction).optional(),
  estimate: z.custom(isFunction).optional(),
  run: z.custom(isFunction, 'expected a function'),
});

export class Registry {
  readonly #kinds: ReadonlyMap<string, RegisteredKind>;

  private constructor(kinds: ReadonlyMap<string, RegisteredKind>) {
    this.#kinds = kinds;
  }

  /** Loads modules, each of which exports `kinds`, an array of step kinds. Paths are resolved against the working folder. */
  static async load(modules: readonly (string | URL)[]): Promise<Registry> {
    const kinds = new Map<string, RegisteredKind>();
    for (const name of modules) {
      const module = addressOf(name);
      for (const kind of await kindsOf(module)) {
        const other = kinds.get(kind.kind);
        if (other && other.module !== module)
          throw new InternalError(`step kind '${kind.kind}' is declared by ${other.module} and by ${module}`);
        kinds.set(kind.kind, { kind, module });
      }
    }
    return new Registry(kinds);
  }

  get(kind: string): RegisteredKind | undefined {
    return this.#kinds.get(kind);
  }

  names(): readonly string[] {
    return [...this.#kinds.keys()].sort();
  }
}

function addressOf(module: string | URL): string {
  if (module instanceof URL) return module.href;
  return module.startsWith('file:') ? module : pathToFileURL(module).href;
}

/** The kinds a module exports. Throws an `InputError` where it cannot be loaded or exports something else. */
export async function kindsOf(module: string): Promise<readonly AnyStepKind[]> {
  let loaded: { readonly kinds?: unknown };
  try {
    loaded = (await import(module)) as { readonly kinds?: unknown };
  } catch (error) {
    throw new InputError(module, `cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
  const parsed = z.array(kindShape).safeParse(loaded.kinds);
  if (parsed.success) return loaded.kinds as readonly AnyStepKind[];
  throw new InputError(
    parsed.error.issues.map(issue => ({
      where: module,
      message: `export 'kinds' must be an array of step kinds: ${issue.path.join('.')} ${issue.message}`,
    })),
  );
}
