/**
 * Can this `tokenizer.json` be encoded here, with the same ids as the `tokenizers` package gives? Yes for GPT-2's family (GPT-2, GPT-NeoX, and
 * every tokenizer trained here); anything else, even in one unknown setting, is left to the package.
 */
import { z } from 'zod';
import { CHAR_TO_BYTE } from './byte-alphabet.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

export interface ByteLevelPlan {
  /** The id of each byte; -1 for the bytes that UTF-8 never contains, where the file has none. */
  readonly byteIds: Int32Array;
  /** Pairs of ids in the order of their rank, and what each becomes. */
  readonly merges: readonly { readonly left: number; readonly right: number; readonly token: number }[];
  /** Is text brought to Unicode's normal form C first? */
  readonly nfc: boolean;
  /** Texts with one of these in them must go to the package, which finds its added tokens before it cuts words. */
  readonly foreignNeedles: readonly string[];
}

const off = z.union([z.literal(false), z.null(), z.literal('')]).optional();

/** A byte-level BPE model whose every switch is off. Unknown keys refuse the file. */
const bpeModel = z.strictObject({
  type: z.literal('BPE').optional(),
  dropout: z.union([z.null(), z.literal(0)]).optional(),
  unk_token: z.string().nullish(), // never used: every byte has an id
  continuing_subword_prefix: off,
  end_of_word_suffix: off,
  fuse_unk: z.boolean().optional(), // the same
  byte_fallback: off,
  ignore_merges: off,
  vocab: z.unknown(),
  merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
});

const byteLevel = z.strictObject({
  type: z.literal('ByteLevel'),
  add_prefix_space: z.literal(false),
  trim_offsets: z.boolean().optional(), // offsets are not given out
  use_regex: z.literal(true).optional(),
});

/** The plan, or undefined if the file is not of that family. */
export function byteLevelPlan(json: TokenizerJson): ByteLevelPlan | undefined {
  const model = bpeModel.safeParse(json.model);
  const normalizer = json.normalizer?.type;
  if (!model.success || !byteLevel.safeParse(json.pre_tokenizer).success) return undefined;
  if (normalizer !== undefined && normalizer !== 'NFC') return undefined;
  const ids = new Map(Object.entries(json.model.vocab as Readonly<Record<string, number>>));
  const byteIds = byteIdsOf(ids);
  const merges = mergesOf(model.data.merges, ids);
  const needles = needlesOf(json);
  if (byteIds === undefined || merges === undefined) return undefined;
  // NFC could make or break a token that is not ASCII: too rare to reason about.
  if (normalizer !== undefined && !needles.every(isAscii)) return undefined;
  return { byteIds, merges, nfc: normalizer !== undefined, foreignNeedles: needles };
}

/** Does UTF-8 contain this byte at all? */
const occurs = (byte: number) => byte !== 0xc0 && byte !== 0xc1 && byte < 0xf5;

function byteIdsOf(ids: ReadonlyMap<string, number>): Int32Array | undefined {
  const byteIds = new Int32Array(256).fill(-1);
  for (const [char, byte] of CHAR_TO_BYTE) byteIds[byte] = ids.get(char) ?? -1;
  return byteIds.every((id, byte) => id >= 0 || !occurs(byte)) ? byteIds : undefined;
}

function mergesOf(
  merges: readonly (string | readonly [string, string])[],
  ids: ReadonlyMap<string, number>,
): ByteLevelPlan['merges'] | undefined {
  const found: { left: number; right: number; token: number }[] = [];
  const seen = new Set<string>();
  for (const merge of merges) {
    const parts = typeof merge === 'string' ? merge.split(' ') : merge;
    const [left, right] = [ids.get(parts[0] ?? ''), ids.get(parts[1] ?? '')];
    const token = ids.get(parts.join(''));
    if (parts.length !== 2 || left === undefined || right === undefined || token === undefined)
      return undefined;
    seen.add(`${left} ${right}`);
    found.push({ left, right, token });
  }
  return seen.size === found.length ? found : undefined;
}

/** The added tokens that text is searched for, without those that contain another one. */
function needlesOf(json: TokenizerJson): string[] {
  const contents = (json.added_tokens ?? []).filter(token => !token.special).map(token => token.content);
  return contents.filter(
    content => !contents.some(other => other.length < content.length && content.includes(other)),
  );
}

const isAscii = (text: string) => !/[^\0-\x7f]/.test(text);
