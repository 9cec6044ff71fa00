/** Which documents are held out: a decision about content, so that equal documents always fall on the same side. */
import { createHash } from 'node:crypto';

/** How manifests name the rule below. */
export const HELD_OUT_RULE = 'sha256(seed, text without ASCII white space) < heldOut';

/**
 * Is this document (UTF-8) held out? True for a share `heldOut` of all contents. White space does not count: a copy with other line breaks
 * is the same content.
 */
export function isHeldOut(text: Uint8Array, seed: number, heldOut: number): boolean {
  const digest = createHash('sha256').update(`${seed}\0`).update(withoutSpaces(text)).digest();
  return digest.readUIntBE(0, 6) < heldOut * 2 ** 48;
}

function withoutSpaces(text: Uint8Array): Uint8Array {
  const kept = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) kept[length++] = byte;
  }
  return kept.subarray(0, length);
}
