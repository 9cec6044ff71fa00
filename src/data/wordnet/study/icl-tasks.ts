/**
 * In-context tasks from WordNet, in the record types of the Eval Gauntlet. All ask about synsets that training never sees, in the form of the
 * training text (`lemmas : definition ; example`). The place of the right answer is balanced, wrong ones have the same part of speech.
 */
import type { Rng } from '../../../base/index.ts';
import type { Synset } from '../synset.ts';
import type { WordNet } from '../wordnet.ts';

export interface IclTask {
  readonly label: string;
  readonly type: 'language_modeling' | 'multiple_choice' | 'schema';
  readonly records: readonly object[];
}

const CHOICES = 4;

export interface IclOptions {
  /** Records of each task, at most. */
  readonly items: number;
}

export function iclTasks(
  wordnet: WordNet,
  asked: readonly Synset[],
  { items }: IclOptions,
  rngOf: (task: string) => Rng,
): IclTask[] {
  const draw = (label: string, type: IclTask['type'], make: (rng: Rng) => Generator<object>): IclTask => {
    const records: object[] = [];
    for (const record of make(rngOf(label))) {
      records.push(record);
      if (records.length === items) break;
    }
    return { label, type, records };
  };
  return [
    draw('wordnet_hypernym', 'schema', rng =>
      namings(asked, one => wordnet.hypernyms(one)[0]?.lemmas[0], rng),
    ),
    draw('wordnet_lemma', 'schema', rng => namings(asked, ({ lemmas }) => lemmas[0], rng)),
    draw('wordnet_definition', 'multiple_choice', rng => definitions(asked, rng)),
    draw('wordnet_completion', 'multiple_choice', rng => completions(asked, rng)),
    draw('wordnet_antonym', 'multiple_choice', rng => antonyms(wordnet, asked, rng)),
    draw('wordnet_last_word', 'language_modeling', rng => lastWords(asked, rng)),
  ];
}

function* shuffled(synsets: readonly Synset[], rng: Rng): Generator<Synset> {
  for (const place of rng.permutation(synsets.length)) yield synsets[place]!;
}

/** Others of the same part of speech, in an order of their own. */
function others(synsets: readonly Synset[], synset: Synset, rng: Rng): Synset[] {
  const found: Synset[] = [];
  for (let tries = 0; found.length < 16 && tries < 400; tries++) {
    const other = synsets[rng.int(synsets.length)]!;
    if (other !== synset && other.pos === synset.pos && !found.includes(other)) found.push(other);
  }
  return found;
}

/** The right answer among wrong ones, at a place that takes turns. Undefined where there are too few different ones. */
function choose(right: string, wrong: readonly (string | undefined)[], gold: number): string[] | undefined {
  const different = [
    ...new Set(wrong.filter((text): text is string => text !== undefined && text !== right)),
  ];
  if (different.length < CHOICES - 1) return undefined;
  const choices = different.slice(0, CHOICES - 1);
  choices.splice(gold, 0, right);
  return choices;
}

/** Which name does this definition belong to? The definition's likelihood after each name decides, so the names' own do not matter. */
function* namings(
  asked: readonly Synset[],
  nameOf: (synset: Synset) => string | undefined,
  rng: Rng,
): Generator<object> {
  let gold = 0;
  for (const synset of shuffled(asked, rng)) {
    const right = nameOf(synset);
    if (right === undefined || synset.definition.split(' ').length < 4) continue;
    const options = choose(right, others(asked, synset, rng).map(nameOf), gold);
    if (options === undefined) continue;
    yield { context_options: options.map(name => `${name} :`), continuation: synset.definition, gold };
    gold = (gold + 1) % CHOICES;
  }
}

function* definitions(asked: readonly Synset[], rng: Rng): Generator<object> {
  let gold = 0;
  for (const synset of shuffled(asked, rng)) {
    const near = others(asked, synset, rng).sort((a, b) => lengthGap(a, synset) - lengthGap(b, synset));
    const choices = choose(
      synset.definition,
      near.map(({ definition }) => definition),
      gold,
    );
    if (choices === undefined) continue;
    yield { query: `${synset.lemmas.join(', ')} :`, choices, gold };
    gold = (gold + 1) % CHOICES;
  }
}

const lengthGap = (a: Synset, b: Synset): number => Math.abs(a.definition.length - b.definition.length);

/** Which second half ends this definition? */
function* completions(asked: readonly Synset[], rng: Rng): Generator<object> {
  let gold = 0;
  const halves = ({ definition }: Synset) => {
    const words = definition.split(' ');
    const middle = Math.floor(words.length / 2);
    return {
      first: words.slice(0, middle).join(' '),
      second: words.slice(middle).join(' '),
      words: words.length,
    };
  };
  for (const synset of shuffled(asked, rng)) {
    const { first, second, words } = halves(synset);
    if (words < 8) continue;
    const near = others(asked, synset, rng).sort((a, b) => lengthGap(a, synset) - lengthGap(b, synset));
    const choices = choose(
      second,
      near.map(other => halves(other).second),
      gold,
    );
    if (choices === undefined) continue;
    yield { query: `${synset.lemmas.join(', ')} : ${first}`, choices, gold };
    gold = (gold + 1) % CHOICES;
  }
}

/** Which word is the opposite? The wrong ones are adjectives, nouns and so on as the right one is. */
function* antonyms(wordnet: WordNet, asked: readonly Synset[], rng: Rng): Generator<object> {
  let gold = 0;
  for (const synset of shuffled(asked, rng)) {
    const pointer = synset.pointers.find(({ type }) => type === 'antonym');
    const target = pointer && wordnet.get(pointer.target);
    if (!pointer || !target) continue;
    const word = synset.lemmas[pointer.from ?? 0]!;
    const choices = choose(
      target.lemmas[pointer.to ?? 0]!,
      others(asked, synset, rng).map(({ lemmas }) => lemmas[0]),
      gold,
    );
    if (choices === undefined) continue;
    yield { query: `${word} : not`, choices, gold };
    gold = (gold + 1) % CHOICES;
  }
}

/** The last word of a usage example, after the entry that it belongs to. */
function* lastWords(asked: readonly Synset[], rng: Rng): Generator<object> {
  for (const { lemmas, definition, examples } of shuffled(asked, rng)) {
    const words = examples[0]?.split(' ') ?? [];
    const last = words.at(-1)?.replace(/[^\p{L}\p{N}'-]+$/u, '');
    if (words.length < 4 || !last) continue;
    const before = words.slice(0, -1).join(' ');
    yield { context: `${lemmas.join(', ')} : ${definition} ; ${before}`, continuation: last };
  }
}
