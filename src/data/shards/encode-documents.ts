/** The work of one thread: a batch of documents to token ids, training and held-out ones apart, each ended by an end-of-text token. */
import { startOf } from '../../base/index.ts';
import type { PackedTexts, Tokenizer } from '../../tokenizer/index.ts';
import { isHeldOut } from './held-out.ts';
import type { Split } from './manifest.ts';
import type { TokenArray } from './token-arrays.ts';

export interface EncodedPart {
  readonly ids: TokenArray;
  readonly documents: number;
  /** UTF-8 bytes of the documents. */
  readonly bytes: number;
}

export type EncodedDocuments = Readonly<Record<Split, EncodedPart>>;

export interface EncodeSettings {
  readonly eosId: number;
  readonly seed: number;
  readonly heldOut: number;
  /** Bytes a token: 2 or 4. */
  readonly width: 2 | 4;
}

export async function encodeDocuments(
  texts: PackedTexts,
  tokenizer: Tokenizer,
  settings: EncodeSettings,
): Promise<EncodedDocuments> {
  const { ids, offsets } = await tokenizer.encodePacked(texts);
  const split = Array.from(texts.ends, (end, i) =>
    isHeldOut(texts.bytes.subarray(startOf(texts.ends, i), end), settings.seed, settings.heldOut),
  );
  const part = (heldOut: boolean): EncodedPart => {
    const members = split.flatMap((side, i) => (side === heldOut ? [i] : []));
    const length = members.reduce((sum, i) => sum + offsets[i + 1]! - offsets[i]! + 1, 0);
    const into = settings.width === 2 ? new Uint16Array(length) : new Uint32Array(length);
    let [at, bytes] = [0, 0];
    for (const i of members) {
      into.set(ids.subarray(offsets[i], offsets[i + 1]), at);
      at += offsets[i + 1]! - offsets[i]!;
      into[at++] = settings.eosId;
      bytes += texts.ends[i]! - startOf(texts.ends, i);
    }
    return { ids: into, documents: members.length, bytes };
  };
  return { train: part(false), heldOut: part(true) };
}
