/** A retrieval collection in memory. */
import { InputError } from '../../../base/index.ts';

export interface CollectionText {
  readonly id: string;
  readonly text: string;
}

export interface JudgedQuery extends CollectionText {
  /** Grades above 0 by document id. */
  readonly relevant: ReadonlyMap<string, number>;
}

export interface Collection {
  /** Sorted by id, texts distinct. */
  readonly documents: readonly CollectionText[];
  /** Queries by split; ids and texts distinct through all of them. */
  readonly queries: Readonly<Record<string, readonly JudgedQuery[]>>;
}

/** Documents with distinct texts: a text that comes again keeps the id it came with first. */
export class DocumentSet {
  readonly #idOf = new Map<string, string>();

  add({ id, text }: CollectionText): void {
    if (!this.#idOf.has(text)) this.#idOf.set(text, id);
  }

  idOf(text: string): string | undefined {
    return this.#idOf.get(text);
  }

  get size(): number {
    return this.#idOf.size;
  }

  /** Adds of these until there are `count`. */
  fill(documents: Iterable<CollectionText>, count: number): void {
    for (const document of documents) {
      if (this.size >= count) return;
      this.add(document);
    }
  }

  sorted(): CollectionText[] {
    const all = [...this.#idOf].map(([text, id]) => ({ id, text }));
    return all.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** The first `count` of a list that must have as many. `what` names them, `option` says what to lower. */
export function take<T>(items: readonly T[], count: number, what: string, option: string): readonly T[] {
  if (items.length >= count) return items.slice(0, count);
  throw new InputError(
    option,
    `WordNet gives only ${items.length} ${what} here, not ${count}: lower ${option}`,
  );
}

/** The documents of a collection of a stated size. */
export function exactly(documents: DocumentSet, count: number): readonly CollectionText[] {
  const all = documents.sorted();
  if (all.length > count)
    throw new InputError(
      'documents',
      `${all.length} documents are relevant to a query, more than ${count}: raise documents or lower queries`,
    );
  return take(all, count, 'documents', 'documents');
}
