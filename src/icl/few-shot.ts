/** Which records stand before a test item as examples. */
import { InputError, Rng } from '../base/index.ts';
import { PythonIntSet, PythonRandom } from './python-random.ts';
import type { PromptStyle } from './settings.ts';

/** Indices of the examples for a test item, in the order they are shown. */
export type FewShots = (item: number) => readonly number[];

export interface FewShotOptions {
  readonly style: PromptStyle;
  readonly shots: number;
  readonly seed: number;
  /** Names the stream of random numbers, and the records in messages. */
  readonly name: string;
}

/**
 * Examples drawn without replacement from the other records of the same file (there is no separate set of examples in llm-foundry's data).
 *
 * `isoflop`: every item has a stream of its own, so its examples do not depend on which other items are evaluated. Too few records are refused.
 * `llm-foundry`: one Python generator goes through the items in order, and examples stand in the order of a Python set.
 */
export function fewShots(records: number, options: FewShotOptions): FewShots {
  const { style, shots, seed, name } = options;
  if (shots === 0) return () => [];
  if (style === 'llm-foundry') {
    const chosen = foundryShots(records, shots, seed);
    return item => chosen[item]!;
  }
  if (records - 1 < shots)
    throw new InputError(
      name,
      `has ${records} records, too few for ${shots} examples and a test item: lower num_fewshot`,
    );
  return item => distinctOthers(records, shots, item, Rng.from(seed, 'few-shot', name, item));
}

function distinctOthers(records: number, count: number, item: number, rng: Rng): number[] {
  const chosen = new Set<number>();
  while (chosen.size < count) {
    const other = rng.int(records);
    if (other !== item) chosen.add(other);
  }
  return [...chosen];
}

function foundryShots(records: number, shots: number, seed: number): number[][] {
  const random = new PythonRandom(seed);
  return Array.from({ length: records }, (_, item) => {
    const chosen = new PythonIntSet(random.sample(records, Math.min(records - 1, shots)));
    if (chosen.has(item)) {
      chosen.delete(item);
      if (chosen.size < records - 1) chosen.add(replacement(records, item, chosen, random));
    }
    return [...chosen];
  });
}

function replacement(records: number, item: number, chosen: PythonIntSet, random: PythonRandom): number {
  let other = random.below(records);
  while (chosen.has(other) || other === item) other = random.below(records);
  return other;
}
