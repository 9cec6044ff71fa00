/** Which synsets could be right answers for each other. */
import type { Synset } from '../synset.ts';
import type { WordNet } from '../wordnet.ts';

/** What is above a synset, at most so many steps, nearest first, each once. */
export function ancestors(wordnet: WordNet, synset: Synset, steps: number): Synset[] {
  const found = new Set<Synset>();
  let level: readonly Synset[] = [synset];
  for (let step = 0; step < steps && level.length > 0; step++) {
    level = level.flatMap(below => wordnet.hypernyms(below)).filter(above => !found.has(above));
    for (const above of level) found.add(above);
  }
  return [...found];
}

/** The names of everything above a synset, in lower case. */
export function ancestorNames(wordnet: WordNet, synset: Synset): ReadonlySet<string> {
  const above = ancestors(wordnet, synset, Number.POSITIVE_INFINITY);
  return new Set(above.flatMap(({ lemmas }) => lemmas.map(lemma => lemma.toLowerCase())));
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
