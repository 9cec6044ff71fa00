/** Log-likelihoods of continuations, and greedy decoding, with an MPT model. */
import { bucketsOf, InputError, offsetsOf } from '../base/index.ts';
import type { Tensor } from '../graph/index.ts';
import { longestSequence, type MptConfig } from '../models/index.ts';
import { Session, type SessionOptions } from '../runtime/index.ts';
import type { ScoreRequest } from './encode.ts';
import { type Row, rowsOf } from './rows.ts';
import { pieceRows, scoreGraph } from './score-graph.ts';

export interface Score {
  /** log p(continuation | context), nats, summed over tokens. */
  readonly logLikelihood: number;
  /** Of the continuation. */
  readonly tokens: number;
  /** Is every token of the continuation the most likely one? */
  readonly greedy: boolean;
}

export interface ScorerOptions extends Pick<SessionOptions, 'threads' | 'provider'> {
  /** Tokens, padding included, of one run of the engine. */
  readonly batchTokens?: number;
}

/** What scoring has cost so far. */
export interface ScorerWork {
  /** Tokens read, without padding. Shared rows count once. */
  readonly tokens: number;
  readonly paddedTokens: number;
}

export interface ScoreEffects {
  readonly signal?: AbortSignal | undefined;
  /** Called after every run of the engine with the tokens it read. */
  readonly onTokens?: ((tokens: number) => void) | undefined;
}

const BATCH_TOKENS = 2048;

export class Scorer {
  readonly config: MptConfig;
  readonly #session: Session;
  readonly #pieceRows: number;
  readonly #batchTokens: number;
  #work: ScorerWork = { tokens: 0, paddedTokens: 0 };

  private constructor(config: MptConfig, session: Session, rows: number, batchTokens: number) {
    this.config = config;
    this.#session = session;
    this.#pieceRows = rows;
    this.#batchTokens = batchTokens;
  }

  static async create(
    config: MptConfig,
    weights: ReadonlyMap<string, Tensor>,
    { batchTokens = BATCH_TOKENS, ...session }: ScorerOptions = {},
  ): Promise<Scorer> {
    const rows = pieceRows(config.vocabSize);
    const opened = await Session.create(scoreGraph(config, rows), { ...session, constants: weights });
    return new Scorer(config, opened, rows, batchTokens);
  }

  get work(): ScorerWork {
    return this.#work;
  }

  /**
   * Scores lists of requests, one list an item. Results do not depend on what else is scored, beyond rounding. Throws an `InputError` where a
   * probability is not finite.
   */
  async score(items: readonly (readonly ScoreRequest[])[], effects: ScoreEffects = {}): Promise<Score[][]> {
    const requests = items.flat();
    const offsets = offsetsOf(items.map(item => item.length));
    const rows = items.flatMap((item, i) => rowsOf(item, offsets[i]!));
    const sums = new Float64Array(requests.length);
    const greedy = new Array<boolean>(requests.length).fill(true);
    await this.#eachBucket(rows, effects, (row, logProbabilities, best) => {
      for (const [i, { request, token }] of row.reads.entries()) {
        sums[request] = sums[request]! + logProbabilities[i]!;
        if (best[i] !== token) greedy[request] = false;
      }
    });
    const score = (i: number): Score => {
      const { tokens, start } = requests[i]!;
      return { logLikelihood: sums[i]!, tokens: tokens.length - start, greedy: greedy[i]! };
    };
    return items.map((item, i) => item.map((_, j) => score(offsets[i]! + j)));
  }

  /** The most likely next token of each sequence, none of which may be empty. */
  async next(sequences: readonly Int32Array[], effects: ScoreEffects = {}): Promise<Int32Array> {
    const rows = sequences.map(
      (inputs, request): Row => ({ inputs, reads: [{ request, token: 0, at: inputs.length - 1 }] }),
    );
    const tokens = new Int32Array(sequences.length);
    await this.#eachBucket(rows, effects, (row, _, best) => {
      tokens[row.reads[0]!.request] = best[0]!;
    });
    return tokens;
  }

  async #eachBucket(
    rows: readonly Row[],
    { signal, onTokens }: ScoreEffects,
    visit: (row: Row, logProbabilities: Float32Array, best: Int32Array) => void,
  ): Promise<void> {
    const offsets = offsetsOf(rows.map(({ inputs }) => inputs.length));
    for (const bucket of bucketsOf(offsets, this.#batchTokens, longestSequence(this.config))) {
      signal?.throwIfAborted();
      const own = bucket.rows.map(i => rows[i]!);
      const { logProbabilities, best } = await this.#run(own, bucket.length);
      let from = 0;
      for (const row of own) {
        const to = from + row.reads.length;
        visit(row, logProbabilities.subarray(from, to), best.subarray(from, to));
        from = to;
      }
      const { tokens, paddedTokens } = this.#work;
      this.#work = {
        tokens: tokens + bucket.tokens,
        paddedTokens: paddedTokens + own.length * bucket.length,
      };
      onTokens?.(bucket.tokens);
    }
  }

  async #run(rows: readonly Row[], length: number) {
    const asked = rows.reduce((sum, { reads }) => sum + reads.length, 0);
    const pieces = Math.max(1, Math.ceil(asked / this.#pieceRows));
    const padded = pieces * this.#pieceRows;
    const ids = new Int32Array(rows.length * length); // padding stands on the right, where causal attention never looks
    const [places, targets] = [new Int32Array(padded), new Int32Array(padded)];
    let next = 0;
    for (const [i, { inputs, reads }] of rows.entries()) {
      ids.set(inputs, i * length);
      for (const { at, token } of reads) {
        places[next] = i * length + at;
        targets[next++] = token;
      }
    }
    const results = await this.#session.run({
      ids: { dtype: 'int32', shape: [rows.length, length], data: ids },
      places: { dtype: 'int32', shape: [padded], data: places },
      targets: { dtype: 'int32', shape: [padded], data: targets },
      pieces: { dtype: 'int64', shape: [], data: BigInt64Array.of(BigInt(pieces)) },
    });
    const logProbabilities = (results['logProbabilities']!.data as Float32Array).subarray(0, asked);
    if (!logProbabilities.every(Number.isFinite))
      throw new InputError('model', 'a probability is not finite: its weights are damaged');
    return { logProbabilities, best: (results['best']!.data as Int32Array).subarray(0, asked) };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
