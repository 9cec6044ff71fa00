/** The in-context tasks, as records and task list of llm-foundry's evaluation. Every item is about a synset of the test side. */
import { Rng } from '../../../base/index.ts';
import type { Synset } from '../synset.ts';
import { type Candidate, closedGroups } from './choices.ts';
import { take } from './collection.ts';
import type { Material } from './material.ts';
import type { WordnetStudyOptions } from './options.ts';
import { ancestorNames, areRelated, hasName } from './relations.ts';
import { PHRASE_WORDS, wordsOf } from './words.ts';

export interface MultipleChoice {
  readonly query: string;
  readonly choices: readonly string[];
  readonly gold: number;
}

export interface Schema {
  readonly context_options: readonly string[];
  readonly continuation: string;
  readonly gold: number;
}

export interface LanguageModeling {
  readonly context: string;
  readonly continuation: string;
}

export interface IclTask {
  readonly label: string;
  readonly type: 'multiple_choice' | 'schema' | 'language_modeling';
  /** Accuracy of a guess. */
  readonly chance: number;
  readonly records: readonly (MultipleChoice | Schema | LanguageModeling)[];
}

/** Names whose rarest word the pretraining text has less often than this are not asked about: nothing could be known of them. */
const KNOWN = 10;

/** All tasks, in the order their files are listed. */
export function iclTasks(material: Material, options: WordnetStudyOptions): IclTask[] {
  const synsets = material.askable.filter(material.split.isTest);
  return [
    hypernymChoice,
    lemmaChoice,
    antonymChoice,
    definitionCompletion,
    lastWord,
    hypernymSchema,
    lemmaSchema,
    siblingSchema,
  ].map(task => task(material, synsets, options));
}

type TaskOf = (material: Material, synsets: readonly Synset[], options: WordnetStudyOptions) => IclTask;

/** A question with its own right answer; those of its group are the wrong ones. */
interface Question extends Candidate {
  readonly synset: Synset;
  readonly prompt: string;
  readonly option: string;
}

/** What a choice is made of: its questions, and when two may stand in one group (beside differing in their options). */
interface Choice {
  readonly label: string;
  readonly type: 'multiple_choice' | 'schema';
  readonly size: number;
  readonly questions: readonly Question[];
  readonly compatible: (a: Question, b: Question) => boolean;
}

function choiceTask(
  { label, type, size, questions, compatible }: Choice,
  options: WordnetStudyOptions,
): IclTask {
  const distinct = (a: Question, b: Question) =>
    a.option !== b.option && compatible(a, b) && compatible(b, a);
  const groups = closedGroups(questions, size, distinct, Rng.from(options.seed, 'icl', label));
  const chosen = take(groups, options.iclItems / size, `groups of ${size} for ${label}`, 'iclItems');
  const records = chosen.flatMap(group => {
    const choices = group.map(({ option }) => option);
    return group.map(({ prompt }, gold) =>
      type === 'schema'
        ? { context_options: choices, continuation: prompt, gold }
        : { query: prompt, choices, gold },
    );
  });
  return { label, type, chance: 1 / size, records };
}

/** Options are alike that are about equally frequent (a factor of 4 apart at most) and, within that, equally long. */
function nameLikeness(material: Material, name: string): number {
  return 1000 * Math.floor(Math.log2(1 + material.frequency(name)) / 2) + name.length;
}

function head({ lemmas, definition }: Synset): string {
  return `${lemmas.join(', ')} : ${definition}`;
}

/** How a question is put, and how its options are. */
interface Wording {
  readonly prompt: (synset: Synset) => string;
  readonly option: (name: string) => string;
}

/** A definition behind one of several names. */
const SCHEMA: Wording = { prompt: ({ definition }) => definition, option: asEntry };

/** Questions for the names that `nameOf` gives, where the pretraining text knows them. */
function nameQuestions(
  material: Material,
  synsets: readonly Synset[],
  nameOf: (synset: Synset) => string | undefined,
  { prompt, option }: Wording,
): Question[] {
  return synsets.flatMap(synset => {
    const name = nameOf(synset);
    if (name === undefined || material.frequency(name) < KNOWN) return [];
    const likeness = nameLikeness(material, name);
    return [{ synset, stratum: synset.pos, likeness, prompt: prompt(synset), option: option(name) }];
  });
}

function hypernymQuestions(material: Material, synsets: readonly Synset[], wording: Wording): Question[] {
  return nameQuestions(
    material,
    synsets,
    synset => material.wordnet.hypernyms(synset)[0]?.lemmas[0],
    wording,
  );
}

/** The first lemma, unless the definition has a word of it. */
function lemmaQuestions(material: Material, synsets: readonly Synset[], wording: Wording): Question[] {
  const nameOf = ({ lemmas: [name], definition }: Synset) => {
    const words = new Set(wordsOf(definition));
    return wordsOf(name!).some(word => words.has(word)) ? undefined : name;
  };
  return nameQuestions(material, synsets, nameOf, wording);
}

/** No question's option is true for another: it is no name of the other, nor of anything above it. */
function hypernymsApart({ wordnet }: Material, nameOf: (option: string) => string) {
  const above = new Map<Synset, ReadonlySet<string>>();
  return (a: Question, b: Question) => {
    const names = above.get(a.synset) ?? ancestorNames(wordnet, a.synset);
    above.set(a.synset, names);
    const name = nameOf(b.option);
    return !names.has(name.toLowerCase()) && !hasName(a.synset, name);
  };
}

/** `poodle, poodle dog : an intelligent ... ; a kind of` -> `animal`: nouns whose prompt has no word of the answer. */
const hypernymChoice: TaskOf = (material, synsets, options) => {
  const prompt = (synset: Synset) => `${head(synset)} ; a kind of`;
  const nouns = synsets.filter(({ pos }) => pos === 'n');
  const questions = hypernymQuestions(material, nouns, { prompt, option: name => name }).filter(
    ({ prompt, option }) => {
      const words = new Set(wordsOf(prompt));
      return !wordsOf(option).some(word => words.has(word));
    },
  );
  const compatible = hypernymsApart(material, name => name);
  return choiceTask(
    { label: 'wordnet_hypernym_choice', type: 'multiple_choice', size: 4, questions, compatible },
    options,
  );
};

/** Which of four hypernyms' names goes before this definition, as lemmas do in the pretraining text. */
const hypernymSchema: TaskOf = (material, synsets, options) => {
  const questions = hypernymQuestions(material, synsets, SCHEMA);
  const compatible = hypernymsApart(material, option => option.slice(0, -asEntry('').length));
  return choiceTask(
    { label: 'wordnet_hypernym_schema', type: 'schema', size: 4, questions, compatible },
    options,
  );
};

function asEntry(name: string): string {
  return `${name} :`;
}

const unrelated = (a: Question, b: Question) => !areRelated(a.synset, b.synset);

/** `the trunk of a tree ; the` -> `bole`: a noun by its definition, as examples name it behind definitions in the pretraining text. */
const lemmaChoice: TaskOf = (material, synsets, options) => {
  const nouns = synsets.filter(({ pos }) => pos === 'n');
  const questions = lemmaQuestions(material, nouns, {
    prompt: ({ definition }) => `${definition} ; the`,
    option: name => name,
  });
  return choiceTask(
    { label: 'wordnet_lemma_choice', type: 'multiple_choice', size: 4, questions, compatible: unrelated },
    options,
  );
};

/** Which of four names goes before this definition. */
const lemmaSchema: TaskOf = (material, synsets, options) => {
  const questions = lemmaQuestions(material, synsets, SCHEMA);
  return choiceTask(
    { label: 'wordnet_lemma_schema', type: 'schema', size: 4, questions, compatible: unrelated },
    options,
  );
};

/** Which of two siblings' names goes before this definition: pairs as Winograd's, each asked with either definition. */
const siblingSchema: TaskOf = (material, synsets, options) => {
  const { wordnet } = material;
  const questions = lemmaQuestions(material, synsets, SCHEMA).flatMap(question => {
    const [hypernym] = wordnet.hypernyms(question.synset);
    return hypernym === undefined ? [] : [{ ...question, stratum: hypernym.id }];
  });
  return choiceTask(
    { label: 'wordnet_sibling_schema', type: 'schema', size: 2, questions, compatible: unrelated },
    options,
  );
};

/** `hot : used of physical heat; ... ; not` -> `cold`. Opposites that contain each other (`happy`, `unhappy`) are left out. */
const antonymChoice: TaskOf = (material, _synsets, options) => {
  const opposites = new Map<Synset, ReadonlySet<string>>();
  const questions = material.split.test.flatMap(synset => {
    const pairs = antonyms(material, synset);
    const name = pairs.find(([lemma, opposite]) => !containsOther(lemma, opposite))?.[1];
    if (name === undefined || !(material.isUnseen(synset.definition) || isShort(synset.definition)))
      return [];
    opposites.set(synset, new Set(pairs.map(([, opposite]) => opposite)));
    const likeness = nameLikeness(material, name);
    return [{ synset, stratum: synset.pos, likeness, prompt: `${head(synset)} ; not`, option: name }];
  });
  const compatible = (a: Question, b: Question) =>
    !opposites.get(a.synset)!.has(b.option) && !hasName(a.synset, b.option);
  return choiceTask(
    { label: 'wordnet_antonym_choice', type: 'multiple_choice', size: 4, questions, compatible },
    options,
  );
};

/** Too short to be looked for in the pretraining text, where such words stand in a row by chance. */
function isShort(definition: string): boolean {
  return wordsOf(definition).length < PHRASE_WORDS;
}

/** Each lemma that has an antonym, with that. */
function antonyms({ wordnet }: Material, synset: Synset): [lemma: string, antonym: string][] {
  return synset.pointers
    .filter(({ type }) => type === 'antonym')
    .map(({ target, from, to }) => [synset.lemmas[from ?? 0]!, wordnet.get(target)!.lemmas[to ?? 0]!]);
}

/** Then letters alone give the answer away. */
function containsOther(a: string, b: string): boolean {
  return a.includes(b) || b.includes(a);
}

/** Lemmas and the first half of a definition, four second halves of about equal length. */
const definitionCompletion: TaskOf = (_material, synsets, options) => {
  const questions = synsets.flatMap(synset => {
    const words = synset.definition.split(' ');
    if (words.length < 8) return [];
    const middle = Math.ceil(words.length / 2);
    const prompt = `${synset.lemmas.join(', ')} : ${words.slice(0, middle).join(' ')}`;
    const option = words.slice(middle).join(' ');
    return [{ synset, stratum: synset.pos, likeness: option.length, prompt, option }];
  });
  return choiceTask(
    {
      label: 'wordnet_definition_completion',
      type: 'multiple_choice',
      size: 4,
      questions,
      compatible: unrelated,
    },
    options,
  );
};

/** Entry and usage example up to its last word, which is to be guessed. No example stands in the pretraining text. */
const lastWord: TaskOf = (material, synsets, options) => {
  const records = synsets.flatMap(synset =>
    synset.examples.filter(material.isUnseen).flatMap(example => {
      const [, context, continuation] = /^(.*\S) (\p{L}+)[.!?]*$/u.exec(example) ?? [];
      if (context === undefined || continuation === undefined || material.frequency(continuation) < KNOWN)
        return [];
      return [{ context: `${head(synset)} ; ${context}`, continuation }];
    }),
  );
  const label = 'wordnet_last_word';
  const shuffled = Rng.from(options.seed, 'icl', label).shuffle(records);
  return {
    label,
    type: 'language_modeling',
    chance: 0,
    records: take(shuffled, options.iclItems, `items for ${label}`, 'iclItems'),
  };
};
