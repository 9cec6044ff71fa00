import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError, Rng } from '../base/index.ts';
import { evaluate, input, makeGraph, toNumbers, verify } from '../graph/index.ts';
import { mptHidden, mptLogits, parameterInputs } from '../models/index.ts';
import type { ScoreRequest } from './encode.ts';
import type { IclModel } from './evaluate.ts';
import { generate } from './generate.ts';
import { rowsOf } from './rows.ts';
import { pieceRows, scoreGraph } from './score-graph.ts';
import { type Score, Scorer } from './scorer.ts';
import { tinyModel, tinyTokenizer } from './testing.ts';

const tokenizer = await tinyTokenizer();
const model = tinyModel(tokenizer);

function requestsOf(seed: number, items: number): ScoreRequest[][] {
  const rng = Rng.from(seed, 'requests');
  const ids = (n: number) => Array.from({ length: n }, () => rng.int(model.config.vocabSize));
  return Array.from({ length: items }, () => {
    const context = ids(1 + rng.int(30));
    return Array.from({ length: 1 + rng.int(4) }, () => ({
      tokens: Int32Array.of(...context, ...ids(1 + rng.int(6))),
      start: context.length,
    }));
  });
}

/** Logits (T, V) of one sequence, in float64, without any of the scorer's code. */
function logitsInFloat64({ config, weights }: IclModel, ids: readonly number[]): number[][] {
  const parameters = parameterInputs(config, 'float64');
  const input64 = input('ids', 'int32', [1, ids.length]);
  const hidden = mptHidden(config, parameters, input64, { tokens: ids.length });
  const graph = makeGraph([...parameters.values(), input64], { logits: mptLogits(parameters, hidden) });
  const feeds = Object.fromEntries([...weights].map(([name, value]) => [name, toNumbers(value)]));
  const { data } = evaluate(graph, {
    ...feeds,
    ids: toNumbers({ dtype: 'int32', shape: [1, ids.length], data: Int32Array.from(ids) }),
  })['logits']!;
  const v = config.vocabSize;
  return ids.map((_, t) => Array.from(data.slice(t * v, (t + 1) * v)));
}

function scoreInFloat64({ tokens, start }: ScoreRequest): Score {
  const logits = logitsInFloat64(model, [...tokens]);
  let [sum, greedy] = [0, true];
  for (let t = start; t < tokens.length; t++) {
    const row = logits[t - 1]!;
    const most = Math.max(...row);
    sum += row[tokens[t]!]! - most - Math.log(row.reduce((total, x) => total + Math.exp(x - most), 0));
    if (row.indexOf(most) !== tokens[t]) greedy = false;
  }
  return { logLikelihood: sum, tokens: tokens.length - start, greedy };
}

async function scored(requests: readonly ScoreRequest[][], batchTokens: number): Promise<Score[][]> {
  const scorer = await Scorer.create(model.config, model.weights, { threads: 1, batchTokens });
  const scores = await scorer.score(requests);
  await scorer.release();
  return scores;
}

test('log-likelihoods equal those computed in float64, item by item', async () => {
  const requests = requestsOf(1, 12);
  const found = await scored(requests, 256);
  for (const [i, item] of requests.entries())
    for (const [j, request] of item.entries()) {
      const expected = scoreInFloat64(request);
      assert.ok(Math.abs(found[i]![j]!.logLikelihood - expected.logLikelihood) < 1e-4);
      assert.deepEqual({ ...found[i]![j]!, logLikelihood: 0 }, { ...expected, logLikelihood: 0 });
    }
});

test('batch size, and what else is in the batch, change a log-likelihood by less than 1e-4', async () => {
  const requests = requestsOf(2, 40);
  const [one, many] = [await scored(requests, 1), await scored(requests, 4096)];
  for (const [i, item] of one.entries())
    for (const [j, { logLikelihood }] of item.entries())
      assert.ok(Math.abs(logLikelihood - many[i]![j]!.logLikelihood) < 1e-4);
});

test('the graph is sound, and its logits never exceed one piece', () => {
  verify(scoreGraph(model.config, 16));
  assert.deepEqual([50, 4096, 50_368, 2 ** 31 - 1].map(pieceRows), [64, 64, 64, 8]);
});

test('every place asked about is read exactly once, from a row that begins with what stands before it', () => {
  const request = fc
    .tuple(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 7 }), fc.nat())
    .map(([ids, at]): ScoreRequest => ({ tokens: Int32Array.from(ids), start: 1 + (at % (ids.length - 1)) }));
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 6 }), requests => {
      const rows = rowsOf(requests, 10);
      const reads = rows.flatMap(({ inputs, reads }) =>
        reads.map(({ request, token, at }) => {
          const { tokens } = requests[request - 10]!;
          assert.equal(tokens[at + 1], token);
          assert.deepEqual(inputs.subarray(0, at + 1), tokens.subarray(0, at + 1));
          return `${request} ${at}`;
        }),
      );
      const expected = requests.flatMap(({ tokens, start }, i) =>
        Array.from({ length: tokens.length - start }, (_, k) => `${10 + i} ${start - 1 + k}`),
      );
      assert.deepEqual(reads.sort(), expected.sort());
    }),
  );
});

test('answers of one token to one question share a row', async () => {
  const question = [5, 6, 7, 8];
  const requests = [1, 2, 3, 4].map(answer => ({ tokens: Int32Array.of(...question, answer), start: 4 }));
  assert.equal(rowsOf(requests, 0).length, 1);
  const scorer = await Scorer.create(model.config, model.weights, { threads: 1 });
  await scorer.score([requests]);
  assert.equal(scorer.work.tokens, 4);
  await scorer.release();
});

test('greedy decoding writes what the float64 reference finds most likely', async () => {
  const scorer = await Scorer.create(model.config, model.weights, { threads: 1, batchTokens: 64 });
  const prompts = [Int32Array.of(4, 9, 30), Int32Array.of(100), Int32Array.of(7, 7, 7, 12, 250, 3)];
  const found = await generate(scorer, tokenizer, prompts, { maxNewTokens: 5, stops: [] });
  await scorer.release();
  for (const [i, prompt] of prompts.entries()) {
    const ids = [...prompt];
    for (let step = 0; step < 5; step++) {
      const last = logitsInFloat64(model, ids).at(-1)!;
      const next = last.indexOf(Math.max(...last));
      if (next === tokenizer.eosId) break;
      ids.push(next);
    }
    assert.equal(found[i], await tokenizer.decode(ids.slice(prompt.length)));
  }
});

test('weights that are not finite are refused', async () => {
  const weights = new Map(model.weights);
  const [name, value] = [...weights][0]!;
  weights.set(name, { ...value, data: new Float32Array(value.data.length).fill(Number.NaN) });
  const scorer = await Scorer.create(model.config, weights, { threads: 1 });
  await assert.rejects(scorer.score(requestsOf(1, 1)), InputError);
  await scorer.release();
});
