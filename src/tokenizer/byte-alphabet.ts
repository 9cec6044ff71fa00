/**
 * GPT-2's printable spelling of bytes: a byte that is a visible Latin-1 character stands for itself, the 68 others (blanks, controls)
 * for the characters from U+0100 on. Tokens in `tokenizer.json` are spelled so; `Ġ` is a blank and `Ċ` a line end.
 */

function isVisible(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/** The character that spells each byte. */
export const BYTE_TO_CHAR: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isVisible(byte) ? byte : next++));
})();

export const CHAR_TO_BYTE: ReadonlyMap<string, number> = new Map(
  BYTE_TO_CHAR.map((char, byte) => [char, byte]),
);

/** All 256 bytes by the code of their characters: the order in which they get the first ids after the special tokens. */
export const ALPHABET: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte).sort(
  (a, b) => BYTE_TO_CHAR[a]!.charCodeAt(0) - BYTE_TO_CHAR[b]!.charCodeAt(0),
);
