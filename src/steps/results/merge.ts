/** One ladder from the results of its parts: rungs that were made on different machines, or by stores that never met. */
import { InputError, type Problem } from '../../base/index.ts';
import type { CheckpointResult, RetrievalScores, StudyResults } from '../../report/index.ts';
import { type ResultsParams, scalingParams } from './params.ts';
import { bySize, correlations, fits, trends } from './science.ts';

/** The results of one part, and what to call it. */
export interface ResultsPart {
  readonly name: string;
  readonly results: StudyResults;
}

/**
 * The results of all parts together; laws, trends and correlations are made anew from all checkpoints. Name, title, description and the form of the
 * laws are those of the first part. What several parts have (a checkpoint, a curve, the overlap) is the last one's; a caveat tells where numbers of a
 * checkpoint differ. Throws an `InputError` with everything in which the parts are not of one ladder: collections, tasks, conventions, sizes of rungs,
 * BM25's scores. That pretraining text, tokenizer and finetuning are one is for the caller to know: results do not tell.
 */
export function mergeResults(parts: readonly ResultsPart[]): StudyResults {
  const [first, ...others] = parts as readonly [ResultsPart, ...ResultsPart[]];
  const problems = [...others.flatMap(part => differences(first, part)), ...contradictions(parts)];
  if (problems.length > 0) throw new InputError(problems);
  const all = <T>(list: (results: StudyResults) => readonly T[]) =>
    parts.flatMap(({ results }) => list(results));
  const checkpoints = lastOfName(
    all(results => results.checkpoints),
    ({ name }) => name,
  ).sort(bySize);
  const scaling = scalingOf(parts);
  const { collections } = first.results;
  return {
    ...first.results,
    checkpoints,
    references: lastOfName(
      all(results => results.references),
      ({ name }) => name,
    ),
    curves: lastOfName(
      all(results => results.curves),
      ({ rung }) => rung,
    ).sort((a, b) => a.params - b.params),
    trends: trends(checkpoints, scaling),
    fits: fits(checkpoints, { scaling, collections }),
    correlations: correlations(checkpoints, scaling),
    overlap: all(({ overlap }) => (overlap ? [overlap] : [])).at(-1) ?? null,
    caveats: [...new Set([...all(results => results.caveats), ...madeTwice(parts)])],
    deviations: [...new Set(all(results => results.deviations))],
  };
}

/** In which respects a part is not of the first one's ladder. */
function differences(first: ResultsPart, part: ResultsPart): Problem[] {
  const aspects: Readonly<Record<string, (results: StudyResults) => unknown>> = {
    'way of making laws': ({ scaling }) =>
      first.results.scaling && part.results.scaling ? scaling : undefined, // older results do not say
    'FLOPs conventions': ({ conventions }) => conventions,
    'level of confidence': ({ level }) => level,
    collections: ({ collections }) =>
      collections.map(({ name, split, documents, queries, inMean }) => [
        ...[name, split, documents, queries, inMean],
      ]),
    'in-context tasks': ({ tasks }) =>
      tasks.map(({ name, type, shots, items, chance }) => [name, type, shots, items, chance]),
  };
  const differing = Object.entries(aspects).flatMap(([aspect, of]) => {
    const [wanted, found] = [JSON.stringify(of(first.results)), JSON.stringify(of(part.results))];
    return wanted === found ? [] : [`${aspect} ${found} where ${first.name} has ${wanted}`];
  });
  return differing.map(message => ({ where: part.name, message }));
}

/** What must be one thing in the whole ladder, and is another in two parts: the size of a rung, the name of a checkpoint, the scores of BM25. */
function contradictions(parts: readonly ResultsPart[]): Problem[] {
  const known = new Map<string, { readonly part: string; readonly said: string }>();
  const problems: Problem[] = [];
  const say = (part: string, of: string, said: string) => {
    const before = known.get(of);
    if (before !== undefined && before.said !== said)
      problems.push({ where: part, message: `${of} ${said} where ${before.part} has ${before.said}` });
    known.set(of, before ?? { part, said });
  };
  for (const { name: part, results } of parts) {
    for (const { rung, params, tokens, name } of results.checkpoints) {
      say(part, `parameters of rung ${rung}`, String(params));
      say(part, `checkpoint of rung ${rung} at ${tokens} tokens`, name);
    }
    for (const { name, scores } of results.references)
      say(part, `nDCG@10 of ${name}: other test data?`, JSON.stringify(valuesOf(scores)));
  }
  return problems;
}

function valuesOf({ collections }: RetrievalScores): [string, number][] {
  return Object.entries(collections).map(([name, { value }]) => [name, value]);
}

/** Each name once, with what was said of it last. */
function lastOfName<T>(items: readonly T[], nameOf: (item: T) => string): T[] {
  return [...new Map(items.map(item => [nameOf(item), item])).values()];
}

/** A sentence for every checkpoint whose numbers two parts give differently. */
function madeTwice(parts: readonly ResultsPart[]): string[] {
  const known = new Map<string, { readonly part: string; readonly checkpoint: CheckpointResult }>();
  const sentences: string[] = [];
  for (const { name: part, results } of parts)
    for (const checkpoint of results.checkpoints) {
      const before = known.get(checkpoint.name);
      if (before !== undefined && numbersOf(before.checkpoint) !== numbersOf(checkpoint))
        sentences.push(
          `${checkpoint.name} was made twice: its numbers are those of ${part} (${scoresText(checkpoint)}), not those of ${before.part} (${scoresText(before.checkpoint)}).`,
        );
      known.set(checkpoint.name, { part, checkpoint });
    }
  return sentences;
}

/** All of a checkpoint but the names of the steps that made it. */
function numbersOf({ sources: _, ...numbers }: CheckpointResult): string {
  return JSON.stringify(numbers);
}

function scoresText({ finetuned, heldOut }: CheckpointResult): string {
  const [score, loss] = [finetuned?.mean.value.toFixed(4) ?? 'none', heldOut?.lossNats.toFixed(4) ?? 'none'];
  return `mean nDCG@10 ${score}, held-out loss ${loss}`;
}

/** How the laws of these results were made; where they are older and do not say so, as far as the main law of one tells. */
function scalingOf(parts: readonly ResultsPart[]): ResultsParams['scaling'] {
  const [{ results: first }] = parts as readonly [ResultsPart, ...ResultsPart[]];
  const said = parts.flatMap(({ results }) => results.scaling ?? []);
  const laws = parts.flatMap(({ results }) => results.fits[0]?.report ?? []);
  const read = laws.map(({ form, bootstrap }) => ({
    form,
    resamples: bootstrap?.resamples,
    seed: bootstrap?.seed,
  }));
  const [scaling] = [...said, ...read];
  if (scaling === undefined)
    throw new InputError('results', 'none of the parts says, or shows by a law, how laws are to be made');
  const parsed = scalingParams.safeParse({
    ...{ ...scaling, conventions: [...first.conventions], level: first.level },
  });
  if (parsed.success) return parsed.data;
  throw new InputError(
    parsed.error.issues.map(({ path, message }) => ({ where: `results: ${path.join('.')}`, message })),
  );
}
