/** One line of a `data.POS` file to a synset (wndb(5WN)). */
import { LEXNAMES, type PartOfSpeech, POINTER_TYPES, type Pointer, type Synset } from './synset.ts';

/** What is wrong with a line; the reader adds where it stands. */
export class BadLine extends Error {}

/** `offset lexfile type words [word lexid]... pointers [symbol offset pos source/target]... [frames ...] | gloss` */
export function parseSynset(line: string, pos: PartOfSpeech): Synset {
  const bar = line.indexOf('|');
  if (bar < 0) throw new BadLine("expected a gloss after '|'");
  const fields = new Fields(line.slice(0, bar));
  const id = synsetId(fields.next(), pos);
  const lexname = LEXNAMES[fields.number(10)];
  const type = fields.next();
  if (lexname === undefined) throw new BadLine('expected a lexicographer file from 00 to 44');
  if (type !== pos && !(pos === 'a' && type === 's'))
    throw new BadLine(`expected a synset of type '${pos}', found '${type}'`);
  const lemmas = Array.from({ length: fields.number(16) }, () => {
    const lemma = lemmaOf(fields.next());
    fields.next();
    return lemma;
  });
  if (lemmas.length === 0) throw new BadLine('expected at least one word');
  const pointers = Array.from({ length: fields.number(10) }, () => pointerOf(fields));
  return { id, pos, satellite: type === 's', lexname, lemmas, ...parseGloss(line.slice(bar + 1)), pointers };
}

class Fields {
  readonly #fields: readonly string[];
  #at = 0;

  constructor(text: string) {
    this.#fields = text.trim().split(' ');
  }

  next(): string {
    const field = this.#fields[this.#at++];
    if (field === undefined) throw new BadLine('the line ends too early');
    return field;
  }

  /** A whole number of two or three digits, as all counts and file numbers are. */
  number(base: 10 | 16): number {
    const field = this.next();
    const value = (base === 10 ? /^\d{2,3}$/ : /^[0-9a-f]{2}$/).test(field)
      ? Number.parseInt(field, base)
      : -1;
    if (value < 0) throw new BadLine(`expected a number of base ${base}, found '${field}'`);
    return value;
  }
}

function synsetId(offset: string, pos: string): string {
  if (!/^\d{8}$/.test(offset)) throw new BadLine(`expected an offset of 8 digits, found '${offset}'`);
  if (!/^[nvar]$/.test(pos)) throw new BadLine(`expected a part of speech n, v, a or r, found '${pos}'`);
  return `${offset}-${pos}`;
}

/** `attractive(ip)` -> `attractive`; `physical_object` -> `physical object`. */
function lemmaOf(word: string): string {
  return word.replace(/\((a|p|ip)\)$/, '').replaceAll('_', ' ');
}

function pointerOf(fields: Fields): Pointer {
  const symbol = fields.next();
  if (!Object.hasOwn(POINTER_TYPES, symbol)) throw new BadLine(`unknown pointer '${symbol}'`);
  const type = POINTER_TYPES[symbol as keyof typeof POINTER_TYPES];
  const target = synsetId(fields.next(), fields.next());
  const words = fields.next();
  if (!/^[0-9a-f]{4}$/.test(words))
    throw new BadLine(`expected 4 hex digits of word numbers, found '${words}'`);
  if (words === '0000') return { type, target };
  const [from, to] = [words.slice(0, 2), words.slice(2)].map(hex => Number.parseInt(hex, 16) - 1);
  return { type, target, from: from!, to: to! };
}

/**
 * A gloss is a list of parts between semicolons (those inside quotation marks separate nothing). A part that begins with a quotation mark holds
 * examples, and what follows them is the author's name; the others form the definition. There are two exceptions: a quotation that
 * the sentence goes on from (`"scribbling block" is a British term`) explains, and a definition may end in an example of its own
 * (`arrive in a vehicle: "He rolled up in a black Mercedes"`).
 */
export function parseGloss(gloss: string): Pick<Synset, 'definition' | 'examples'> {
  const definition: string[] = [];
  const examples: string[] = [];
  for (const raw of gloss.match(/(?:"[^"]*"?|[^;"])+/g) ?? []) {
    const part = raw.trim();
    const ending = /^([^"]+?)(?::|(?<=\)))\s*"([^"]*)"$/.exec(part);
    if (part.startsWith('"') && !/^"[^"]*"\s*[a-z]/.test(part)) {
      for (const quoted of part.matchAll(/"([^"]*)"?/g)) examples.push(quoted[1]!.trim());
    } else if (ending) {
      definition.push(ending[1]!);
      examples.push(ending[2]!.trim());
    } else if (part !== '') definition.push(part);
  }
  return { definition: definition.join('; '), examples: examples.filter(example => example !== '') };
}
