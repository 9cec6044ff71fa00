/** Log-probabilities of tokens after their contexts, batched by length. */
import { type Bucket, bucketsOf, InputError } from '../base/index.ts';
import {
  cast,
  gather,
  gemm,
  input,
  makeGraph,
  optimize,
  repeat,
  reshape,
  shapeOf,
  slice,
  type Tensor,
  topK,
} from '../graph/index.ts';
import { type MptConfig, mptHidden, parameterInputs, TOKEN_EMBEDDING } from '../models/index.ts';
import { crossEntropy } from '../nn/index.ts';
import { Session, type SessionOptions } from '../runtime/index.ts';
import type { Sequence } from './sequences.ts';

export interface ScorerOptions extends Pick<SessionOptions, 'threads' | 'provider'> {
  /** Tokens, padding included, of one run of the engine. */
  readonly batchTokens?: number;
}

/** What the model makes of the scored tokens of a sequence. */
export interface SequenceScore {
  /** Sum of their log-probabilities, nats. */
  readonly logProb: number;
  /** Is each the most probable token at its place? */
  readonly greedy: boolean;
}

/** What scoring has cost so far. */
export interface ScorerWork {
  readonly sequences: number;
  /** Fed to the model, without padding. */
  readonly tokens: number;
  readonly paddedTokens: number;
}

const BATCH_TOKENS = 2048;
/** Logits alive at once: 16 MiB of them. A vocabulary of 50,000 gets 83 tokens a piece. */
const LOGITS_AT_ONCE = 4 << 20;

interface Placed {
  readonly negativeLogProbs: Float32Array;
  /** The most probable token at each place. */
  readonly best: Int32Array;
}

export class Scorer {
  readonly #session: Session;
  readonly #batchTokens: number;
  readonly #rows: number;
  readonly #longest: number;
  #work: ScorerWork = { sequences: 0, tokens: 0, paddedTokens: 0 };

  private constructor(session: Session, config: MptConfig, batchTokens: number) {
    this.#session = session;
    this.#batchTokens = batchTokens;
    this.#rows = Math.max(1, Math.floor(LOGITS_AT_ONCE / config.vocabSize));
    this.#longest = config.positions === 'learned' ? config.maxLength : Number.POSITIVE_INFINITY;
  }

  static async create(
    config: MptConfig,
    weights: ReadonlyMap<string, Tensor>,
    { batchTokens = BATCH_TOKENS, ...session }: ScorerOptions = {},
  ): Promise<Scorer> {
    const opened = await Session.create(scoreGraph(config), { ...session, constants: weights });
    return new Scorer(opened, config, batchTokens);
  }

  get work(): ScorerWork {
    return this.#work;
  }

  /** The scores of sequences. They do not depend on what is scored with them beyond rounding (1e-4). Throws where one is not finite. */
  async score(sequences: readonly Sequence[], signal?: AbortSignal): Promise<SequenceScore[]> {
    const scores = new Array<SequenceScore>(sequences.length);
    // the last token is only predicted, never read
    await this.#inBuckets(sequences, 1, signal, (rows, { negativeLogProbs, best }) => {
      let at = 0;
      for (const row of rows) {
        const { tokens, scored } = sequences[row]!;
        let [sum, greedy] = [0, true];
        for (const target of tokens.subarray(tokens.length - scored)) {
          sum -= negativeLogProbs[at]!;
          if (best[at++] !== target) greedy = false;
        }
        if (!Number.isFinite(sum)) throw notFinite();
        scores[row] = { logProb: sum, greedy };
      }
    });
    return scores;
  }

  /** The most probable next token of each context. */
  async next(contexts: readonly Uint32Array[], signal?: AbortSignal): Promise<number[]> {
    const tokens = new Array<number>(contexts.length);
    const sequences = contexts.map(context => ({ tokens: context, scored: 1 }));
    await this.#inBuckets(sequences, 0, signal, (rows, { negativeLogProbs, best }) => {
      rows.forEach((row, i) => {
        if (!Number.isFinite(negativeLogProbs[i]!)) throw notFinite();
        tokens[row] = best[i]!;
      });
    });
    return tokens;
  }

  /** Runs sequences without their last `unread` tokens, and hands over the last `scored` places of each, row after row. */
  async #inBuckets(
    sequences: readonly Sequence[],
    unread: number,
    signal: AbortSignal | undefined,
    take: (rows: readonly number[], placed: Placed) => void,
  ): Promise<void> {
    const offsets = new Uint32Array(sequences.length + 1);
    sequences.forEach(({ tokens }, i) => {
      offsets[i + 1] = offsets[i]! + tokens.length - unread;
    });
    for (const bucket of bucketsOf(offsets, this.#batchTokens)) {
      signal?.throwIfAborted();
      take(bucket.rows, await this.#runBucket(bucket, sequences, unread));
    }
  }

  async #runBucket(bucket: Bucket, sequences: readonly Sequence[], unread: number): Promise<Placed> {
    const { rows, tokens } = bucket;
    const length = Math.min(bucket.length, this.#longest); // the rounded length may be beyond the last learned position
    const ids = new Int32Array(rows.length * length);
    const places: number[] = [];
    const targets: number[] = [];
    rows.forEach((row, r) => {
      const { tokens, scored } = sequences[row]!;
      const read = tokens.length - unread;
      ids.set(tokens.subarray(0, read), r * length);
      for (let at = read - scored; at < read; at++) {
        places.push(r * length + at);
        targets.push(tokens[at + unread]!);
      }
    });
    const { sequences: before, tokens: sum, paddedTokens } = this.#work;
    this.#work = {
      sequences: before + rows.length,
      tokens: sum + tokens,
      paddedTokens: paddedTokens + ids.length,
    };
    return this.#run({ dtype: 'int32', shape: [rows.length, length], data: ids }, places, targets);
  }

  async #run(ids: Tensor, places: readonly number[], targets: readonly number[]): Promise<Placed> {
    const pieces = Math.ceil(places.length / this.#rows);
    const shape = [pieces, Math.ceil(places.length / pieces)] as const;
    const padded = (numbers: readonly number[]): Tensor => {
      const data = new Int32Array(shape[0] * shape[1]);
      data.set(numbers);
      return { dtype: 'int32', shape: [...shape], data };
    };
    const { negativeLogProbs, best } = await this.#session.run({
      ids,
      places: padded(places),
      targets: padded(targets),
    });
    return { negativeLogProbs: negativeLogProbs!.data as Float32Array, best: best!.data as Int32Array };
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/**
 * ids (B, T), places (C, P) in the flat B*T, targets (C, P) -> negativeLogProbs (C, P), best (C, P). Only the states at the places meet the
 * output head, and of those only P at a time: the logits (P, V) of a piece are forgotten before the next.
 */
function scoreGraph(config: MptConfig) {
  const weights = parameterInputs(config);
  const table = weights.get(TOKEN_EMBEDDING)!;
  const ids = input('ids', 'int32', ['B', 'T']);
  const places = input('places', 'int32', ['C', 'P']);
  const targets = input('targets', 'int32', ['C', 'P']);
  const states = gather(mptHidden(config, weights, ids, { tokens: 'N' }), places); // (C, P, D)
  const count = reshape(slice(shapeOf(places), 0, 0, 1), []);
  const { stacked } = repeat(
    { count, carried: [], captured: [states, targets, table], stackedAxis: 'C' },
    piece => {
      const hidden = gather(states, piece); // (P, D)
      const { places: best } = topK(gemm(hidden, table, { transB: 1 }), 1); // (P, 1)
      const losses = crossEntropy(hidden, table, gather(targets, piece)); // (P)
      return { carried: [], stacked: [losses, cast(reshape(best, ['P']), 'int32')] };
    },
  );
  const outputs = { negativeLogProbs: stacked[0]!, best: stacked[1]! };
  return optimize(makeGraph([...weights.values(), ids, places, targets], outputs));
}

function notFinite(): InputError {
  return new InputError('model', 'a log-probability is not finite: its weights are damaged');
}
