/** Texts to vectors with a finetuned decoder (or any decoder, for comparison). */
import { type Bucket, bucketsOf, InputError } from '../base/index.ts';
import { input, makeGraph, optimize, type Tensor } from '../graph/index.ts';
import {
  DEFAULT_EMBEDDER,
  type EmbedderSettings,
  longestSequence,
  type MptConfig,
  mptEmbed,
  parameterInputs,
  readEmbedderSettings,
  readMptDirectory,
  requireLength,
  requireVocabulary,
} from '../models/index.ts';
import { Session, type SessionOptions } from '../runtime/index.ts';
import { type Encoded, Tokenizer } from '../tokenizer/index.ts';

export type Role = 'query' | 'passage';

export interface EncoderOptions extends Pick<SessionOptions, 'threads' | 'provider'> {
  /** Overrides of what the model directory says (or of the defaults, where it is no embedder). */
  readonly settings?: Partial<EmbedderSettings>;
  /** Tokens, padding included, of one run of the engine: enough to fill it, few enough to stay in the cache. */
  readonly batchTokens?: number;
}

/** What encoding has cost so far. */
export interface EncoderWork {
  readonly texts: number;
  /** Without padding. */
  readonly tokens: number;
  readonly paddedTokens: number;
}

export interface EncodeProgress {
  readonly signal?: AbortSignal | undefined;
  /** What the texts are called in errors, such as the ids of documents. */
  readonly names?: readonly string[];
  readonly onBatch?: (tokens: number, texts: number) => void;
}

const BATCH_TOKENS = 2048;

export class Encoder {
  readonly config: MptConfig;
  readonly settings: EmbedderSettings;
  readonly tokenizer: Tokenizer;
  readonly #session: Session;
  readonly #batchTokens: number;
  #work: EncoderWork = { texts: 0, tokens: 0, paddedTokens: 0 };

  private constructor(
    config: MptConfig,
    settings: EmbedderSettings,
    tokenizer: Tokenizer,
    session: Session,
    batchTokens: number,
  ) {
    this.config = config;
    this.settings = settings;
    this.tokenizer = tokenizer;
    this.#session = session;
    this.#batchTokens = batchTokens;
  }

  /** Opens a model directory. One that was never made an embedder is used with `DEFAULT_EMBEDDER`. */
  static async open(path: string, options: EncoderOptions = {}): Promise<Encoder> {
    const { config, weights, tokenizerPath } = await readMptDirectory(path);
    if (!tokenizerPath) throw new InputError(path, 'has no tokenizer.json, which texts are encoded with');
    const tokenizer = await Tokenizer.fromFile(tokenizerPath);
    requireVocabulary(config, tokenizer.vocabSize, path);
    const settings = { ...((await readEmbedderSettings(path)) ?? DEFAULT_EMBEDDER), ...options.settings };
    return Encoder.create(config, weights, tokenizer, settings, options);
  }

  /** The same from parts in memory. */
  static async create(
    config: MptConfig,
    weights: ReadonlyMap<string, Tensor>,
    tokenizer: Tokenizer,
    settings: EmbedderSettings,
    options: EncoderOptions = {},
  ): Promise<Encoder> {
    requireLength(config, Math.max(settings.maxQueryTokens, settings.maxPassageTokens), 'lengths');
    const { batchTokens = BATCH_TOKENS, settings: _settings, ...session } = options;
    const opened = await Session.create(embedGraph(config), { ...session, constants: weights });
    return new Encoder(config, settings, tokenizer, opened, batchTokens);
  }

  /** Numbers a vector. */
  get dimension(): number {
    return this.config.dModel;
  }

  get work(): EncoderWork {
    return this.#work;
  }

  /**
   * Vectors of unit length, row by row: (n, D). A text's vector does not depend on its neighbours beyond rounding (1e-5). A text without tokens
   * (no prefix, no end-of-text token) has the zero vector, as in sentence-transformers. Throws where a vector is not finite.
   */
  async encode(
    texts: readonly string[],
    role: Role,
    progress: EncodeProgress = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const { queryPrefix, passagePrefix, maxQueryTokens, maxPassageTokens, appendEos } = this.settings;
    const [prefix, maxTokens] =
      role === 'query' ? [queryPrefix, maxQueryTokens] : [passagePrefix, maxPassageTokens];
    const encoded = await this.tokenizer.encodeBatch(
      texts.map(text => prefix + text),
      { maxTokens, addEos: appendEos },
    );
    const vectors = new Float32Array(texts.length * this.dimension);
    const longest = longestSequence(this.config);
    for (const bucket of bucketsOf(encoded.offsets, this.#batchTokens, longest)) {
      progress.signal?.throwIfAborted();
      await this.#encodeBucket(bucket, encoded, vectors, progress.names);
      progress.onBatch?.(bucket.tokens, bucket.rows.length);
    }
    return vectors;
  }

  async #encodeBucket(
    bucket: Bucket,
    encoded: Encoded,
    vectors: Float32Array,
    names: readonly string[] | undefined,
  ): Promise<void> {
    const { rows, length, tokens } = bucket;
    const batch = rows.length;
    const ids = new Int32Array(batch * length).fill(this.tokenizer.padId);
    const lengths = new Int32Array(batch);
    rows.forEach((text, row) => {
      const own = encoded.ids.subarray(encoded.offsets[text]!, encoded.offsets[text + 1]!);
      ids.set(own, row * length);
      lengths[row] = Math.max(1, own.length); // a mean over nothing would not be a number
    });
    const results = await this.#session.run({
      ids: { dtype: 'int32', shape: [batch, length], data: ids },
      lengths: { dtype: 'int32', shape: [batch], data: lengths },
    });
    const data = results['vectors']!.data as Float32Array;
    requireFinite(data, this.dimension, row => names?.[rows[row]!] ?? `text ${rows[row]! + 1}`);
    rows.forEach((text, row) => {
      if (encoded.offsets[text] === encoded.offsets[text + 1]) return; // stays zero
      vectors.set(data.subarray(row * this.dimension, (row + 1) * this.dimension), text * this.dimension);
    });
    const { texts, tokens: before, paddedTokens } = this.#work;
    this.#work = { texts: texts + batch, tokens: before + tokens, paddedTokens: paddedTokens + ids.length };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function embedGraph(config: MptConfig) {
  const weights = parameterInputs(config);
  const ids = input('ids', 'int32', ['B', 'T']);
  const lengths = input('lengths', 'int32', ['B']);
  const vectors = mptEmbed(config, weights, ids, lengths, 'N');
  return optimize(makeGraph([...weights.values(), ids, lengths], { vectors }));
}

function requireFinite(vectors: Float32Array, dimension: number, nameOf: (row: number) => string): void {
  const bad = vectors.findIndex(value => !Number.isFinite(value));
  if (bad < 0) return;
  throw new InputError(
    'model',
    `the vector of '${nameOf(Math.floor(bad / dimension))}' is not finite: the model's weights are damaged, or far too large`,
  );
}
