/** One ladder from the results of its parts: rungs that were made on different machines, or by stores that never met. */
import { InputError, type Problem } from '../../base/index.ts';
import type { CheckpointResult, StudyResults } from '../../report/index.ts';
import { type ResultsParams, scalingParams } from './params.ts';
import { bySize, correlations, fits, trends } from './science.ts';

/** The results of one part, and what to call it. */
export interface ResultsPart {
  readonly name: string;
  readonly results: StudyResults;
}

/**
 * The results of all parts together; laws, trends and correlations are made anew from all checkpoints. Name, title, description and the form of the
 * laws are those of the first part. What several parts have (a checkpoint, a reference, a curve, the overlap) is the last one's; a caveat tells where numbers of a
 * checkpoint differ. Throws an `InputError` with everything in which the parts are not of one ladder: collections, tasks, conventions, sizes of rungs.
 */
export function mergeResults(parts: readonly ResultsPart[]): StudyResults {
  const [first, ...others] = parts as readonly [ResultsPart, ...ResultsPart[]];
  const problems = others.flatMap(part => differences(first, part));
  if (problems.length > 0) throw new InputError(problems);
  const all = <T>(list: (results: StudyResults) => readonly T[]) =>
    parts.flatMap(({ results }) => list(results));
  const checkpoints = lastOfName(
    all(results => results.checkpoints),
    ({ name }) => name,
  ).sort(bySize);
  const scaling = scalingOf(first.results);
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
    'way of making laws': ({ scaling }) => scaling ?? first.results.scaling,
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
  const sizes = new Map(first.results.checkpoints.map(({ rung, params }) => [rung, params]));
  const others = new Map(part.results.checkpoints.map(({ rung, params }) => [rung, params]));
  for (const [rung, params] of others) {
    const known = sizes.get(rung);
    if (known !== undefined && known !== params)
      differing.push(`rung ${rung} of ${params} parameters where ${first.name} has ${known}`);
  }
  return differing.map(message => ({ where: part.name, message }));
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

/** How the laws of these results were made; of older results, as far as a law of theirs tells. */
function scalingOf({ conventions, level, scaling, fits }: StudyResults): ResultsParams['scaling'] {
  const law = fits.find(({ target, report }) => target === 'mean' && report !== null)?.report;
  const { resamples, seed } = law?.bootstrap ?? {};
  const parsed = scalingParams.safeParse({
    ...{ conventions: [...conventions], level, form: law?.form, resamples, seed, ...scaling },
  });
  if (parsed.success) return parsed.data;
  throw new InputError(
    parsed.error.issues.map(({ path, message }) => ({ where: `results: ${path.join('.')}`, message })),
  );
}
