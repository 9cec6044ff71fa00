import { InputError } from '../base/index.ts';

/**
 * Throws an `InputError` if an id is outside a vocabulary. The engine would refuse some of them with a message of its own, and take
 * negative ones as counted from the end.
 */
export function requireTokenIds(ids: Int32Array, vocabSize: number, where: string): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id < 0 || id >= vocabSize) {
      const place = `token ${i + 1} of ${ids.length}`;
      throw new InputError(
        where,
        `${place} is id ${id}, outside the vocabulary of ${vocabSize}: tokenizer and model do not belong together`,
      );
    }
  }
}
