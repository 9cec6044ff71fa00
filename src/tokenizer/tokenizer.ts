/**
 * Any `tokenizer.json`: text to ids and back.
 *
 * Ids are those of the `tokenizers` package. Files of GPT-2's family, ours among them, are encoded by `ByteLevelEncoder`, tens of times faster;
 * every other file, and decoding, goes through the package itself.
 *
 * Two rules on top of the package's:
 * - Text is data: the spelling of a special token in a text, `<|endoftext|>`, is encoded as the characters it is made of. Only `addEos` adds one.
 * - A surrogate without its partner is encoded as U+FFFD.
 */
import { InputError, readInputText, sha256, startOf } from '../base/index.ts';
import { ByteLevelEncoder } from './byte-level-encoder.ts';
import { byteLevelPlan } from './byte-level-plan.ts';
import { IntVector } from './int-vector.ts';
import { encodeNatively, loadNative, type NativeTokenizer } from './native.ts';
import { type PackedTexts, packTexts } from './packed-texts.ts';
import { parseTokenizerJson, type TokenizerJson, vocabularyOf } from './tokenizer-json.ts';

export interface EncodeOptions {
  /** Most ids a text gets, the end-of-text one included; the rest of the text is cut off. */
  readonly maxTokens?: number;
  /**
   * Append the end-of-text id to every text: to the first `maxTokens - 1` ids of one that is too long.
   * DEVIATION: llm-foundry appends the token's spelling before it cuts, so that a text that is too long loses it.
   */
  readonly addEos?: boolean;
}

/** Many sequences in one array: sequence `i` is `ids[offsets[i] .. offsets[i + 1])`, and `offsets` has one entry more than there are texts. */
export interface Encoded {
  readonly ids: Uint32Array<ArrayBuffer>;
  readonly offsets: Uint32Array<ArrayBuffer>;
}

export interface TokenizerOptions {
  /** The end-of-text token (default: the first of the usual names that the file has). */
  readonly eosToken?: string;
  /** The padding token (default: likewise, else the end-of-text token). */
  readonly padToken?: string;
}

const EOS_NAMES = ['<|endoftext|>', '</s>', '<|end_of_text|>', '<eos>', '<|eos|>', '[SEP]'];
const PAD_NAMES = ['<|padding|>', '<pad>', '<|pad|>', '[PAD]', '<|finetune_right_pad_id|>'];

/** The largest `tokenizer.json` read: the biggest known ones have 35 MB. */
const MAX_FILE_BYTES = 256 << 20;

export class Tokenizer {
  /** The text of the file. */
  readonly json: string;
  /** SHA-256 of the file. */
  readonly hash: string;
  /** One more than the largest id: the rows an embedding matrix needs at least. */
  readonly vocabSize: number;
  readonly #where: string;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #options: TokenizerOptions;
  /** Knows the special tokens: for decoding. */
  readonly #native: NativeTokenizer;
  /** Does not know them: for encoding, where they must not be found in text. */
  readonly #blind: NativeTokenizer;
  readonly #fast: FastPath | undefined;

  private constructor(parts: {
    readonly json: string;
    readonly where: string;
    readonly parsed: TokenizerJson;
    readonly native: NativeTokenizer;
    readonly blind: NativeTokenizer;
    readonly options: TokenizerOptions;
  }) {
    this.json = parts.json;
    this.hash = sha256(parts.json);
    this.#where = parts.where;
    this.#ids = vocabularyOf(parts.parsed);
    this.vocabSize = [...this.#ids.values()].reduce((most, id) => Math.max(most, id), -1) + 1;
    this.#native = parts.native;
    this.#blind = parts.blind;
    this.#options = parts.options;
    this.#fast = FastPath.from(parts.parsed);
    for (const name of [parts.options.eosToken, parts.options.padToken])
      if (name !== undefined && !this.#ids.has(name))
        throw new InputError(parts.where, `has no token ${JSON.stringify(name)}`);
  }

  /** Reads a `tokenizer.json`. Throws `InputError` for a file that is none. */
  static async fromFile(path: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
    return Tokenizer.fromJson(await readInputText(path, MAX_FILE_BYTES), path, options);
  }

  /** The same from text; `where` stands for the file in messages. */
  static async fromJson(
    json: string,
    where = 'tokenizer.json',
    options: TokenizerOptions = {},
  ): Promise<Tokenizer> {
    const parsed = parseTokenizerJson(json, where);
    const native = await loadNative(json, where);
    const hasSpecials = parsed.added_tokens?.some(token => token.special) ?? false;
    const blind = hasSpecials ? await loadNative(withoutSpecials(json), where) : native;
    return new Tokenizer({ json, where, parsed, native, blind, options });
  }

  /** Is there an end-of-text token, named by the caller or of a usual name? */
  get hasEos(): boolean {
    return this.#firstOf(this.#eosNames()) !== undefined;
  }

  /** The end-of-text id. Throws `InputError` if there is none. */
  get eosId(): number {
    const id = this.#firstOf(this.#eosNames());
    if (id !== undefined) return id;
    throw new InputError(
      this.#where,
      `has no end-of-text token of a usual name (${EOS_NAMES.join(' ')}): say which token ends a text`,
    );
  }

  /** The padding id; a file without one pads with its end-of-text token. */
  get padId(): number {
    const { padToken } = this.#options;
    return this.#firstOf(padToken === undefined ? PAD_NAMES : [padToken]) ?? this.eosId;
  }

  #eosNames(): readonly string[] {
    return this.#options.eosToken === undefined ? EOS_NAMES : [this.#options.eosToken];
  }

  #firstOf(names: readonly string[]): number | undefined {
    const name = names.find(candidate => this.#ids.has(candidate));
    return name === undefined ? undefined : this.#ids.get(name);
  }

  /** The id of a token as the file spells it (`Ġthe`, `<|endoftext|>`). */
  tokenToId(token: string): number | undefined {
    return this.#ids.get(token);
  }

  /** The spelling of an id. */
  idToToken(id: number): string | undefined {
    return this.#native.idToToken(id) ?? undefined;
  }

  /** The ids of many texts. */
  async encodeBatch(texts: readonly string[], options: EncodeOptions = {}): Promise<Encoded> {
    return this.encodePacked(packTexts(texts), options);
  }

  /** The ids of one text. */
  async encode(text: string, options: EncodeOptions = {}): Promise<Uint32Array<ArrayBuffer>> {
    return (await this.encodeBatch([text], options)).ids;
  }

  /** The ids of many texts that are packed as UTF-8 already. */
  async encodePacked(packed: PackedTexts, options: EncodeOptions = {}): Promise<Encoded> {
    const { maxTokens = Number.POSITIVE_INFINITY, addEos = false } = options;
    const limit = maxTokens - (addEos ? 1 : 0);
    if (!(limit >= 0)) throw new RangeError(`maxTokens ${maxTokens} leaves no room`);
    const eosId = addEos ? this.eosId : -1;
    const slow = await this.#encodeSlowTexts(packed);
    const ids = new IntVector(Math.ceil(packed.bytes.length / 3));
    const offsets = new Uint32Array(packed.ends.length + 1);
    packed.ends.forEach((end, i) => {
      const start = ids.length;
      const known = slow.get(i);
      if (known) for (const id of known) ids.push(id);
      else this.#fast!.encode(packed.bytes, startOf(packed.ends, i), end, ids, limit);
      ids.truncate(start + limit);
      if (addEos) ids.push(eosId);
      offsets[i + 1] = ids.length;
    });
    return { ids: new Uint32Array(ids.view), offsets };
  }

  /** The text of a sequence. Bytes that are no UTF-8, as a cut character leaves them, come out as U+FFFD. */
  async decode(ids: Iterable<number>, options: { readonly skipSpecials?: boolean } = {}): Promise<string> {
    return this.#native.decode([...ids], options.skipSpecials ?? false);
  }

  /** Those texts that the fast path cannot do, by their index, through the package. */
  async #encodeSlowTexts({ bytes, ends }: PackedTexts): Promise<Map<number, readonly number[]>> {
    const indices: number[] = [];
    const texts: string[] = [];
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    for (let i = 0, from = 0; i < ends.length; from = ends[i++]!) {
      const text = bytes.subarray(from, ends[i]!);
      if (this.#fast?.accepts(text)) continue;
      indices.push(i);
      texts.push(decoder.decode(text));
    }
    const encoded = new Map<number, readonly number[]>();
    let done = 0;
    for await (const ids of encodeNatively(this.#blind, texts, this.#where))
      encoded.set(indices[done++]!, ids);
    return encoded;
  }
}

/** The file without its special tokens: the model's own ids stay what they are. */
function withoutSpecials(json: string): string {
  const value = JSON.parse(json) as { added_tokens: { special?: boolean }[] };
  return JSON.stringify({ ...value, added_tokens: value.added_tokens.filter(token => !token.special) });
}

/** `ByteLevelEncoder` with what comes before it: which texts it may take, and their normal form. */
class FastPath {
  readonly #encoder: ByteLevelEncoder;
  readonly #nfc: boolean;
  readonly #needles: readonly Buffer[];

  private constructor(encoder: ByteLevelEncoder, nfc: boolean, needles: readonly string[]) {
    this.#encoder = encoder;
    this.#nfc = nfc;
    this.#needles = needles.map(needle => Buffer.from(needle));
  }

  static from(json: TokenizerJson): FastPath | undefined {
    const plan = byteLevelPlan(json);
    return plan && new FastPath(new ByteLevelEncoder(plan), plan.nfc, plan.foreignNeedles);
  }

  /** Is there no added token in the text? */
  accepts(text: Uint8Array): boolean {
    if (this.#needles.length === 0) return true;
    const haystack = Buffer.from(text.buffer, text.byteOffset, text.length);
    return !this.#needles.some(needle => haystack.includes(needle));
  }

  encode(bytes: Uint8Array, from: number, to: number, ids: IntVector, limit: number): void {
    if (this.#nfc && mayChangeUnderNfc(bytes, from, to)) {
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(from, to));
      const normal = packTexts([text.normalize('NFC')]).bytes;
      this.#encoder.encode(normal, 0, normal.length, ids, limit);
    } else this.#encoder.encode(bytes, from, to, ids, limit);
  }
}

/** Text below U+0300, whose first bytes are below 0xCC, is its own normal form C. */
function mayChangeUnderNfc(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at]! >= 0xcc) return true;
  return false;
}
