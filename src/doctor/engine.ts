/** Checks of the engine: what it can do here, how fast, and whether its numbers are right. */
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Rng } from '../base/index.ts';
import { Encoder } from '../dense/index.ts';
import {
  evaluate,
  input,
  makeGraph,
  mul,
  numbersOf,
  optimize,
  type Tensor,
  tensor,
  toNumbers,
} from '../graph/index.ts';
import { DEFAULT_EMBEDDER, mptConfig } from '../models/index.ts';
import { engineVersion, measureGemmPeak, PROVIDERS, type Provider, Session } from '../runtime/index.ts';
import { Tokenizer } from '../tokenizer/index.ts';
import { gradientGraph, initialState, weightsOf } from '../train/index.ts';
import { type Check, type Finding, fail, ok, warn } from './check.ts';
import { sampleTokenizer } from './machine.ts';

export interface EngineFacts {
  readonly threads: number;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
}

/** x -> x * x, in a session of its own. */
async function squares(values: Tensor, threads: number): Promise<number[]> {
  const x = input('x', 'float32', values.shape);
  const session = await Session.create(makeGraph([x], { square: mul(x, x) }), { threads });
  const { square } = await session.run({ x: values });
  await session.release();
  return numbersOf(square!);
}

async function loadFinding(threads: number): Promise<Finding> {
  const [nine] = await squares(tensor('float32', [1], [3]), threads);
  return nine === 9
    ? ok(`ONNX Runtime ${engineVersion()}`)
    : fail(`ONNX Runtime ${engineVersion()} says that 3 times 3 is ${nine}`, 'please report it');
}

const PROBE = fileURLToPath(new URL('./probe-provider.js', import.meta.url));
const PROBE_MILLISECONDS = 60_000;

/** Which providers make a session here. That only `cpu` does, which the check before this one has tried, is no fault. */
async function providersFinding(): Promise<Finding> {
  const works = await Promise.all(PROVIDERS.map(async name => name === 'cpu' || probe(name)));
  return ok(PROVIDERS.filter((_, i) => works[i]).join(', '));
}

function probe(provider: Provider): Promise<boolean> {
  const ended = promisify(execFile)(process.execPath, [PROBE, provider], { timeout: PROBE_MILLISECONDS });
  return ended.then(
    () => true,
    () => false,
  );
}

/** Slower than this a thread is busy with something else, or emulated. */
const SLOW_GFLOPS_A_THREAD = 8;

async function peakFinding({ threads, now }: EngineFacts): Promise<Finding> {
  const gflops = (await measureGemmPeak({ threads, now })) / 1e9;
  const found = `${gflops.toFixed(0)} GFLOP/s in fp32 on ${threads} threads`;
  return gflops < SLOW_GFLOPS_A_THREAD * Math.min(threads, availableParallelism())
    ? warn(found, 'slow for any machine of the last ten years: are other programs busy, or is it emulated?')
    : ok(found);
}

/** Squares of 1e-20 are denormal: 1e-40, unless flushed to zero. Enough of them that every thread gets some. */
async function denormalsFinding(threads: number): Promise<Finding> {
  const count = 1 << 18;
  const tiny: Tensor = { dtype: 'float32', shape: [count], data: new Float32Array(count).fill(1e-20) };
  const results = await squares(tiny, threads);
  return results.every(value => value === 0)
    ? ok('flushed to zero')
    : warn('kept', 'training may be several times slower: another library opened a session first');
}

const MODEL = { dModel: 32, heads: 4, layers: 2, maxLength: 64 };
const SAME_VECTOR = 1e-5;

/** A text's vector must not depend on what else is in its batch, and so not on its padding. */
async function paddingFinding(threads: number): Promise<Finding> {
  const tokenizer = await Tokenizer.fromJson(await sampleTokenizer());
  const config = mptConfig({ ...MODEL, vocabSize: tokenizer.vocabSize });
  const weights = weightsOf(config, initialState(config, 17));
  const encoder = await Encoder.create(config, weights, tokenizer, DEFAULT_EMBEDDER, { threads });
  const texts = Array.from({ length: 12 }, (_, i) => 'a word that the doctor heard '.slice(0, 5 + 2 * i));
  const together = await encoder.encode(texts, 'passage');
  const { tokens, paddedTokens } = encoder.work;
  let worst = 0;
  for (const [i, text] of texts.entries()) {
    const alone = await encoder.encode([text], 'passage');
    const off = alone.map((value, k) => Math.abs(value - together[i * encoder.dimension + k]!));
    worst = Math.max(worst, ...off);
  }
  await encoder.release();
  const padding = `${paddedTokens - tokens} of ${paddedTokens} positions padding`;
  const found = `a vector alone and in a batch (${padding}) differ by ${worst.toExponential(1)}`;
  return worst <= SAME_VECTOR
    ? ok(found)
    : fail(found, `expected at most ${SAME_VECTOR}: results here cannot be trusted; please report it`);
}

const SAME_SLOPE = 1e-4;
const STEP = 1e-4;

/**
 * Slopes of the loss of a small model along its gradient and along random directions: from the engine's gradient, and from central
 * differences of a float64 evaluation that shares no kernel with it. The worst difference over the gradient's norm.
 */
export async function gradientError(threads: number): Promise<number> {
  const config = mptConfig({ dModel: 8, heads: 2, layers: 2, vocabSize: 19, maxLength: 6 });
  const weights = weightsOf(config, initialState(config, 17));
  const ids = tensor(
    'int32',
    [2, 7],
    Array.from({ length: 14 }, (_, i) => (i * i + 3) % 19),
  );
  const graph = gradientGraph(config, { batch: 2, length: 6 });
  const session = await Session.create(graph, { threads });
  const results = await session.run({ ...Object.fromEntries(weights), ids });
  await session.release();
  const gradient = new Map([...weights.keys()].map(name => [name, numbersOf(results[`d:${name}`]!)]));
  const loss = optimize(makeGraph(graph.inputs, { loss: graph.outputs[0]!.value }));
  const norm = Math.sqrt(dot(gradient, gradient));
  const rng = Rng.from(17, 'doctor');
  const random = () => new Map([...gradient].map(([name, own]) => [name, own.map(() => rng.normal())]));
  const directions = [gradient, random(), random()].map(unit);
  const errors = directions.map(direction => {
    const at = (step: number) => lossAt(loss, weights, ids, direction, step);
    return Math.abs(dot(gradient, direction) - (at(STEP) - at(-STEP)) / (2 * STEP)) / norm;
  });
  return Math.max(...errors);
}

type Direction = ReadonlyMap<string, readonly number[]>;

function dot(a: Direction, b: Direction): number {
  let sum = 0;
  for (const [name, values] of a) for (const [i, value] of values.entries()) sum += value * b.get(name)![i]!;
  return sum;
}

function unit(direction: Direction): Direction {
  const length = Math.sqrt(dot(direction, direction));
  return new Map([...direction].map(([name, values]) => [name, values.map(value => value / length)]));
}

/** The loss in float64 after a step along a direction. */
function lossAt(
  loss: ReturnType<typeof makeGraph>,
  weights: ReadonlyMap<string, Tensor>,
  ids: Tensor,
  direction: Direction,
  step: number,
): number {
  const moved = [...weights].map(([name, weight]) => {
    const { data, ...rest } = toNumbers(weight);
    return [
      name,
      { ...rest, data: data.map((value, i) => value + step * direction.get(name)![i]!) },
    ] as const;
  });
  return evaluate(loss, { ...Object.fromEntries(moved), ids: toNumbers(ids) })['loss']!.data[0]!;
}

async function gradientFinding(threads: number): Promise<Finding> {
  const error = await gradientError(threads);
  const found = `off by ${error.toExponential(1)} of its norm from float64 differences`;
  return error <= SAME_SLOPE
    ? ok(found)
    : fail(found, `expected at most ${SAME_SLOPE}: training here cannot be trusted; please report it`);
}

const REPORT = 'please report it, with what isoflop doctor --json prints';

export function engineChecks(facts: EngineFacts): Check[] {
  const { threads } = facts;
  return [
    { name: 'engine', run: () => loadFinding(threads), remedy: REPORT },
    { name: 'providers', run: () => providersFinding(), remedy: REPORT },
    { name: 'GEMM peak', run: () => peakFinding(facts), remedy: REPORT },
    { name: 'denormals', run: () => denormalsFinding(threads), remedy: REPORT },
    { name: 'padding', run: () => paddingFinding(threads), remedy: REPORT },
    { name: 'gradients', run: () => gradientFinding(threads), remedy: REPORT },
  ];
}
