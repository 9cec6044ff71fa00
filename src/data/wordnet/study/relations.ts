/** Which synsets could be right answers for each other. */
import type { Synset } from '../synset.ts';
import type { WordNet } from '../wordnet.ts';

/** The names of everything above a synset, in lower case. */
export function ancestorNames(wordnet: WordNet, synset: Synset): ReadonlySet<string> {
  const above = new Set<Synset>();
  const pending = [...wordnet.hypernyms(synset)];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (above.has(next)) continue;
    above.add(next);
    pending.push(...wordnet.hypernyms(next));
  }
  return new Set([...above].flatMap(({ lemmas }) => lemmas.map(lemma => lemma.toLowerCase())));
}

/** Do they share a name, or does a pointer lead from one to the other? */
export function areRelated(a: Synset, b: Synset): boolean {
  return (
    a === b ||
    a.lemmas.some(lemma => hasName(b, lemma)) ||
    a.pointers.some(({ target }) => target === b.id) ||
    b.pointers.some(({ target }) => target === a.id)
  );
}

export function hasName({ lemmas }: Synset, name: string): boolean {
  return lemmas.some(lemma => lemma.toLowerCase() === name.toLowerCase());
}
