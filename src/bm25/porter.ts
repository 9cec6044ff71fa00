/**
 * The Porter stemmer (M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980) with the two later departures of its
 * author that Lucene's PorterStemFilter has: step 2 turns `bli` (not `abli`) into `ble`, and `logi` into `log`.
 * Words of one or two units stay as they are. Input is lower-case; any unit that is not a, e, i, o, u or a y after a consonant is a consonant.
 */

/** Suffix, what it becomes, and (where needed) what else the stem must satisfy. The first suffix that ends the word decides. */
type Rule = readonly [suffix: string, replacement: string, condition?: (stem: string) => boolean];

/** Rules by the last letter of their suffix, in their order: most words end in none of these and are done. */
type Step = ReadonlyMap<string, readonly Rule[]>;

function step(rules: readonly Rule[]): Step {
  const byLast = new Map<string, Rule[]>();
  for (const rule of rules) {
    const last = rule[0].at(-1)!;
    byLast.set(last, [...(byLast.get(last) ?? []), rule]);
  }
  return byLast;
}

const STEP_2 = step([
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['logi', 'log'],
]);

const STEP_3 = step([
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
]);

const STEP_4 = step([
  ['al', ''],
  ['ance', ''],
  ['ence', ''],
  ['er', ''],
  ['ic', ''],
  ['able', ''],
  ['ible', ''],
  ['ant', ''],
  ['ement', ''],
  ['ment', ''],
  ['ent', ''],
  ['ion', '', stem => stem.endsWith('s') || stem.endsWith('t')],
  ['ou', ''],
  ['ism', ''],
  ['ate', ''],
  ['iti', ''],
  ['ous', ''],
  ['ive', ''],
  ['ize', ''],
]);

/** The stem of a lower-case word. */
export function porterStem(word: string): string {
  if (word.length < 3) return word;
  let stem = participles(plurals(word));
  if (stem.endsWith('y') && hasVowel(stem.slice(0, -1))) stem = `${stem.slice(0, -1)}i`;
  return tidy(replace(replace(replace(stem, STEP_2, 0), STEP_3, 0), STEP_4, 1));
}

/** Step 1a. */
function plurals(word: string): string {
  if (!word.endsWith('s')) return word;
  if (word.endsWith('sses') || word.endsWith('ies')) return word.slice(0, -2);
  return word.endsWith('ss') ? word : word.slice(0, -1);
}

/** Step 1b. */
function participles(word: string): string {
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const stem = word.endsWith('ed') ? word.slice(0, -2) : word.endsWith('ing') ? word.slice(0, -3) : word;
  if (stem === word || !hasVowel(stem)) return word;
  if (stem.endsWith('at') || stem.endsWith('bl') || stem.endsWith('iz')) return `${stem}e`;
  if (endsDouble(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

/** Steps 2 to 4: the first rule whose suffix ends the word applies if the measure of what is left is above `least`. */
function replace(word: string, step: Step, least: number): string {
  for (const [suffix, replacement, condition] of step.get(word.at(-1)!) ?? []) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    if (condition !== undefined && !condition(stem)) return word;
    return measure(stem) > least ? stem + replacement : word;
  }
  return word;
}

/** Step 5: a final e, and one of a final double l. */
function tidy(word: string): string {
  let stem = word;
  if (stem.endsWith('e')) {
    const rest = stem.slice(0, -1);
    const m = measure(rest);
    if (m > 1 || (m === 1 && !endsShort(rest))) stem = rest;
  }
  return stem.endsWith('ll') && measure(stem.slice(0, -1)) > 1 ? stem.slice(0, -1) : stem;
}

function isConsonant(word: string, i: number): boolean {
  switch (word[i]) {
    case 'a':
    case 'e':
    case 'i':
    case 'o':
    case 'u':
      return false;
    case 'y':
      return i === 0 || !isConsonant(word, i - 1);
    default:
      return true;
  }
}

/** m in [C](VC)^m[V]: how often a vowel is followed by a consonant. */
function measure(stem: string): number {
  let m = 0;
  let afterVowel = false;
  for (let i = 0; i < stem.length; i++) {
    const consonant = isConsonant(stem, i);
    if (consonant && afterVowel) m++;
    afterVowel = !consonant;
  }
  return m;
}

function hasVowel(stem: string): boolean {
  for (let i = 0; i < stem.length; i++) if (!isConsonant(stem, i)) return true;
  return false;
}

function endsDouble(stem: string): boolean {
  const last = stem.length - 1;
  return last > 0 && stem[last] === stem[last - 1] && isConsonant(stem, last);
}

/** Ends consonant, vowel, consonant, the last not w, x or y: `hop`, not `snow`. */
function endsShort(stem: string): boolean {
  const last = stem.length - 1;
  return (
    last > 1 &&
    isConsonant(stem, last) &&
    !isConsonant(stem, last - 1) &&
    isConsonant(stem, last - 2) &&
    !/[wxy]$/.test(stem)
  );
}
