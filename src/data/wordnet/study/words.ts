/** Words of texts: counted, and found again as phrases. */

/** Letters and digits in lower case; hyphens, apostrophes and everything else divide. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  );
}

/** How often each word occurs. */
export function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** The fewest words of a phrase that `phrasesWithin` looks for: shorter ones occur everywhere by chance. */
export const PHRASE_WORDS = 4;

/** Those of the phrases, of at least `PHRASE_WORDS` words each, whose words stand in a row somewhere in the texts. */
export function phrasesWithin(phrases: Iterable<string>, texts: Iterable<string>): Set<string> {
  const byStart = new Map<string, { readonly phrase: string; readonly words: string }[]>();
  for (const phrase of phrases) {
    const words = wordsOf(phrase);
    if (words.length < PHRASE_WORDS) throw new RangeError(`'${phrase}' has fewer than ${PHRASE_WORDS} words`);
    const start = words.slice(0, PHRASE_WORDS).join(' ');
    byStart.set(start, [...(byStart.get(start) ?? []), { phrase, words: `${words.join(' ')} ` }]);
  }
  const found = new Set<string>();
  for (const text of texts) {
    const words = wordsOf(text);
    for (let i = 0; i + PHRASE_WORDS <= words.length; i++) {
      const here = byStart.get(words.slice(i, i + PHRASE_WORDS).join(' '));
      if (here === undefined) continue;
      const rest = `${words.slice(i).join(' ')} `;
      for (const { phrase, words: wanted } of here) if (rest.startsWith(wanted)) found.add(phrase);
    }
  }
  return found;
}
