/** What several tests of this folder need. */
import fc from 'fast-check';
import { trainTokenizer } from './train.ts';

/** Documents as a stream of batches. */
export async function* batchesOf(
  ...batches: readonly (readonly string[])[]
): AsyncGenerator<readonly string[]> {
  yield* batches;
}

/** The text of a `tokenizer.json` trained on a few documents. */
export async function trainedJson(texts: readonly string[], vocabSize: number): Promise<string> {
  return (await trainTokenizer(batchesOf(texts), { vocabSize, workers: 1 })).json;
}

/** Any string of UTF-16 units, lone surrogates included. */
export const anyString = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(..."ab   \n\t'sreveldm19.!-é日\u0301\u00a0\u2009²") },
      { weight: 1, arbitrary: fc.nat(0xffff).map(unit => String.fromCharCode(unit)) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
    ),
    { maxLength: 60 },
  )
  .map(parts => parts.join(''));

/** What UTF-8 makes of lone surrogates. */
export const wellFormed = (text: string) => text.replace(/\p{Cs}/gu, '\ufffd');
