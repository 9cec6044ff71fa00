/** Where the data of a ladder study come from: steps that make them, or paths. */
import { resolve } from 'node:path';
import type { ConfigDocument, Locate } from '../../base/index.ts';
import type { InputRef, PathRef, StepSpec } from '../../study/index.ts';
import { WORDNET_COLLECTIONS, WORDNET_OUTPUTS } from '../kinds/wordnet.ts';
import type { Sections } from './sections.ts';

export interface DataRefs {
  readonly steps: readonly StepSpec[];
  readonly text: InputRef | readonly InputRef[];
  readonly textField: string;
  readonly pairs: InputRef;
  /** How many these are, where the file says so. */
  readonly pairCount: number | undefined;
  readonly collections: readonly CollectionRef[];
  readonly tasks: InputRef | undefined;
  /** Where each path stands in the study file. */
  readonly places: ReadonlyMap<string, readonly PropertyKey[]>;
}

export interface CollectionRef {
  readonly name: string;
  readonly title: string;
  readonly split: string;
  readonly inMean: boolean;
  readonly removeSelf: boolean;
  readonly ref: InputRef;
}

export function dataRefs(
  { data, seed }: Pick<Sections, 'data'> & Partial<Sections>,
  folder: string,
  document: ConfigDocument,
): DataRefs {
  if ('wordnet' in data) {
    const source: Locate = inner => document.locate(['data', 'wordnet', ...inner.slice(1)]);
    const step: StepSpec = {
      name: 'wordnet',
      kind: 'wordnet',
      params: { ...data.wordnet, seed },
      inputs: {},
      source,
    };
    const from = (output: string) => ({ step: 'wordnet', output });
    return {
      steps: [step],
      text: from(WORDNET_OUTPUTS.text),
      textField: 'text',
      pairs: from(WORDNET_OUTPUTS.pairs),
      pairCount: data.wordnet.pairs,
      collections: WORDNET_COLLECTIONS.map(({ name, title }) => ({
        ...{ name, title, split: 'test', inMean: true, removeSelf: false },
        ref: from(name),
      })),
      tasks: from(WORDNET_OUTPUTS.tasks),
      places: new Map(),
    };
  }
  const places = new Map<string, readonly PropertyKey[]>();
  const at = (path: string, ...place: readonly PropertyKey[]): PathRef => {
    const absolute = resolve(folder, path);
    places.set(absolute, ['data', ...place]);
    return { path: absolute };
  };
  const { steps, ref: pairs } = pairRefs(data.pairs, seed, at, inner =>
    document.locate(['data', 'pairs', ...(inner[0] === 'inputs' ? inner.slice(2) : [])]),
  );
  return {
    steps,
    text: [data.text].flat().map((path, i) => at(path, 'text', ...(Array.isArray(data.text) ? [i] : []))),
    textField: data.textField,
    pairs,
    pairCount: pairCountOf(data.pairs),
    collections: Object.entries(data.collections).map(([name, said]) => {
      const {
        path,
        title = name,
        split = 'test',
        inMean = true,
        removeSelf = false,
      } = typeof said === 'string' ? { path: said } : said;
      return { name, title, split, inMean, removeSelf, ref: at(path, 'collections', name) };
    }),
    tasks: data.tasks === undefined ? undefined : at(data.tasks, 'tasks'),
    places,
  };
}

type PairSources = Exclude<Sections['data'], { wordnet: unknown }>['pairs'];

function pairCountOf(said: PairSources): number | undefined {
  if (typeof said === 'string') return undefined;
  const counts = said.map(({ count }) => count);
  return counts.includes(undefined) ? undefined : counts.reduce<number>((sum, count) => sum + count!, 0);
}

/** One file as it is, or a step that draws from several. */
function pairRefs(
  said: PairSources,
  seed: number | undefined,
  at: (path: string, ...place: readonly PropertyKey[]) => PathRef,
  source: Locate,
): { readonly steps: readonly StepSpec[]; readonly ref: InputRef } {
  if (typeof said === 'string') return { steps: [], ref: at(said, 'pairs') };
  if (said.length === 0) return { steps: [], ref: { step: 'pairs' } }; // of a section with faults
  const sources = said.map(({ count, split }) => ({ ...(count && { count }), ...(split && { split }) }));
  const inputs = { from: said.map(({ path }, i) => at(path, 'pairs', i, 'path')) };
  const params = { sources, ...(seed !== undefined && { seed }) };
  return { steps: [{ name: 'pairs', kind: 'pairs', params, inputs, source }], ref: { step: 'pairs' } };
}
