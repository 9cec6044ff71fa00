/** Texts as UTF-8 in one buffer: cheap to hand from thread to thread, to hash and to cut into words. */
import type { PackedStrings } from '../base/index.ts';

/** Valid UTF-8, in memory that can be handed over. */
export interface PackedTexts extends PackedStrings {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
}

/** A batch is closed once it holds this much text. */
const BATCH_BYTES = 4 << 20;

const encoder = new TextEncoder();

/**
 * Packs texts. A surrogate without its partner, which UTF-8 cannot hold, becomes U+FFFD: the rule everywhere in this folder.
 * Throws a `RangeError` for more than 4 GiB together.
 */
export function packTexts(texts: readonly string[]): PackedTexts {
  let bytes = new Uint8Array(64 + texts.reduce((sum, text) => sum + text.length, 0));
  const ends = new Uint32Array(texts.length);
  let end = 0;
  texts.forEach((text, i) => {
    for (let rest = text; rest !== ''; ) {
      const { read, written } = encoder.encodeInto(rest, bytes.subarray(end));
      end += written;
      rest = rest.slice(read);
      if (rest !== '') bytes = grown(bytes, end, rest.length * 3);
    }
    ends[i] = end;
  });
  return { bytes: bytes.subarray(0, end), ends };
}

/** Room for `more` bytes after the first `used`. */
function grown(bytes: Uint8Array<ArrayBuffer>, used: number, more: number): Uint8Array<ArrayBuffer> {
  if (used + more > 0xffff_ffff) throw new RangeError('more than 4 GiB of text in one batch');
  const larger = new Uint8Array(Math.min(0xffff_ffff, Math.max(used + more, 2 * used)));
  larger.set(bytes.subarray(0, used));
  return larger;
}

/** Regroups a stream of texts into packed batches of about 4 MiB. The grouping depends on the texts alone. */
export async function* packBatches(
  batches: AsyncIterable<readonly string[]>,
  batchBytes = BATCH_BYTES,
): AsyncGenerator<PackedTexts> {
  let texts: string[] = [];
  let size = 0;
  for await (const batch of batches) {
    for (const text of batch) {
      texts.push(text);
      size += text.length;
      if (size < batchBytes) continue;
      yield packTexts(texts);
      texts = [];
      size = 0;
    }
  }
  if (texts.length > 0) yield packTexts(texts);
}
