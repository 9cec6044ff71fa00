/** Loss on text that training never sees. */
import { input, makeGraph, optimize, type Tensor } from '../graph/index.ts';
import { type MptConfig, mptHidden, parameterInputs, TOKEN_EMBEDDING } from '../models/index.ts';
import { crossEntropySum } from '../nn/index.ts';
import { Session, type SessionOptions } from '../runtime/index.ts';
import { requireTokenIds } from './token-ids.ts';

/** Sequences in the order of the text, as the shard reader gives them. */
export interface HeldOutText {
  readonly length: number;
  /** UTF-8 bytes a token stands for on average. */
  readonly bytesPerToken: number;
  inOrder(rows: number): Iterable<{ readonly tokens: Int32Array; readonly rows: number }>;
}

export interface HeldOutLoss {
  /** Mean cross-entropy, nats a token. */
  readonly lossNats: number;
  /** The same a byte of text, in bits: comparable between tokenizers. */
  readonly bitsPerByte: number;
  readonly tokens: number;
}

export class HeldOutEvaluator {
  readonly #vocabSize: number;
  readonly #session: Session;
  readonly #text: HeldOutText;
  readonly #rows: number;
  readonly #maxTokens: number;

  private constructor(
    vocabSize: number,
    session: Session,
    text: HeldOutText,
    rows: number,
    maxTokens: number,
  ) {
    this.#vocabSize = vocabSize;
    this.#session = session;
    this.#text = text;
    this.#rows = rows;
    this.#maxTokens = maxTokens;
  }

  /** Evaluates at most `maxTokens` tokens from the beginning of the held-out text, `rows` sequences at a time. */
  static async create(
    config: MptConfig,
    text: HeldOutText,
    rows: number,
    maxTokens: number,
    options: SessionOptions,
  ): Promise<HeldOutEvaluator> {
    const session = await Session.create(heldOutGraph(config), options);
    return new HeldOutEvaluator(config.vocabSize, session, text, rows, maxTokens);
  }

  async evaluate(weights: ReadonlyMap<string, Tensor>): Promise<HeldOutLoss> {
    const { length, bytesPerToken } = this.#text;
    let [sum, tokens] = [0, 0];
    for (const batch of this.#text.inOrder(this.#rows)) {
      if (tokens >= this.#maxTokens) break;
      requireTokenIds(batch.tokens, this.#vocabSize, 'held-out text');
      const ids: Tensor = { dtype: 'int32', shape: [batch.rows, length + 1], data: batch.tokens };
      const { loss } = await this.#session.run({ ...Object.fromEntries(weights), ...contextAndTargets(ids) });
      sum += Number(loss!.data[0]);
      tokens += batch.rows * length;
    }
    const lossNats = sum / tokens;
    return { lossNats, bitsPerByte: lossNats / Math.LN2 / bytesPerToken, tokens };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

/** Splits sequences of T+1 tokens into inputs (B, T) and targets (N). */
function contextAndTargets(ids: Tensor): { readonly context: Tensor; readonly targets: Tensor } {
  const [rows, width] = ids.shape as readonly [number, number];
  const data = ids.data as Int32Array;
  const [context, targets] = [new Int32Array(rows * (width - 1)), new Int32Array(rows * (width - 1))];
  for (let row = 0; row < rows; row++) {
    context.set(data.subarray(row * width, (row + 1) * width - 1), row * (width - 1));
    targets.set(data.subarray(row * width + 1, (row + 1) * width), row * (width - 1));
  }
  return {
    context: { dtype: 'int32', shape: [rows, width - 1], data: context },
    targets: { dtype: 'int32', shape: [rows * (width - 1)], data: targets },
  };
}

/** Sizes are named, so that the last, smaller batch needs no session of its own. */
function heldOutGraph(config: MptConfig) {
  const weights = parameterInputs(config);
  const context = input('context', 'int32', ['B', 'T']);
  const targets = input('targets', 'int32', ['N']);
  const hidden = mptHidden(config, weights, context, { tokens: 'N', padded: true });
  const loss = crossEntropySum(hidden, weights.get(TOKEN_EMBEDDING)!, targets);
  return optimize(makeGraph([...weights.values(), context, targets], { loss }));
}
