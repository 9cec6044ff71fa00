/**
 * A full training step (forward, backward, clipping, AdamW) beside PyTorch on the CPU, in turn, fp32 on the same number of threads. One JSON
 * line a case: medians over the rounds of milliseconds a step, tokens a second, executed matrix-product FLOP/s and their share of the GEMM
 * peak measured in the same rounds, and the ratio to the better of PyTorch eager and compiled.
 *
 *     ISOFLOP_PYTHON=python3 node build/bench/train-step.js [--sizes mpt-200k,mpt-1m] [--vocab 4096] [--length 128,256,512] [--rounds 5]
 *     node build/bench/train-step.js --profile operator|shape [...]     what the time of a step is spent on, without PyTorch
 *
 * Without ISOFLOP_PYTHON (a Python with PyTorch 2) only this side runs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { models, nn, Rng, runtime, stats, train } from 'isoflop';
import { isProduct, type KernelTime, kernelTimes } from './kernel-times.ts';
import { TorchTrainer } from './torch-trainer.ts';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: 'mpt-200k,mpt-1m,mpt-4m,mpt-16m' },
    vocab: { type: 'string', default: '4096,8192' },
    length: { type: 'string', default: '128,256,512' },
    tokens: { type: 'string', default: '2048' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    /** Seconds of one turn of one side. */
    turn: { type: 'string', default: '1' },
    /** Comma-separated; empty for none. */
    torch: { type: 'string', default: 'eager,compile' },
    profile: { type: 'string' },
  },
});
const threads = Number(options.threads);
const python = process.env['ISOFLOP_PYTHON'];

interface Case {
  readonly size: string;
  readonly config: models.MptConfig;
  /** Sequences a step. */
  readonly batch: number;
}

/** One side of the race. */
interface Side {
  readonly name: string;
  /** Mean seconds of some steps taken in one go. */
  readonly steps: (count: number) => Promise<number>;
  readonly close: () => void | Promise<void>;
  /** Steps of a turn, known after warming up. */
  count: number;
}

function casesOf(): Case[] {
  const list = (text: string) => text.split(',').filter(item => item !== '');
  return list(options.vocab).flatMap(vocab =>
    list(options.length).flatMap(length =>
      list(options.sizes).map(size => ({
        size,
        config: models.requireNamedMpt(size, { vocabSize: Number(vocab), maxLength: Number(length) }),
        batch: Number(options.tokens) / Number(length),
      })),
    ),
  );
}

class OwnSide {
  readonly engine: train.PretrainEngine;
  readonly #config: models.MptConfig;
  readonly #rng = Rng.from(17, 'train-step');
  #step = 0;

  private constructor(config: models.MptConfig, engine: train.PretrainEngine) {
    this.#config = config;
    this.engine = engine;
    engine.load(train.initialState(config, 17));
  }

  static async open({ config, batch }: Case, session: runtime.SessionOptions = {}): Promise<OwnSide> {
    const step = { batch, length: config.maxLength, accumulation: 1, maxGradNorm: 1, adamW: nn.LADDER_ADAMW };
    const engine = await train.PretrainEngine.create(config, step, { threads, ...session });
    return new OwnSide(config, engine);
  }

  async steps(count: number): Promise<number> {
    const { batch, length } = this.engine.options;
    const ids = Int32Array.from({ length: count * batch * (length + 1) }, () =>
      this.#rng.int(this.#config.vocabSize),
    );
    const began = performance.now();
    const learningRates = Array.from({ length: count }, () => 3e-4);
    await this.engine.takeSteps(ids, { firstStep: this.#step, learningRates, peakLearningRate: 3e-4 });
    this.#step += count;
    return (performance.now() - began) / 1000 / count;
  }
}

/** Steps before any is measured: the allocator of the engine finds its final size, and touches its memory first, in the course of some ten steps. */
const WARM_UP_STEPS = 12;

/** Warms a side up, and learns how many steps a turn has. */
async function warmUp(side: Side): Promise<Side> {
  await side.steps(1);
  let seconds = 0;
  for (let steps = 1; steps < WARM_UP_STEPS; steps += 4) seconds = await side.steps(4);
  side.count = Math.max(1, Math.round(Number(options.turn) / seconds));
  return side;
}

/** Threads of the side before may still spin for a moment. */
const pause = () => new Promise(resolve => setTimeout(resolve, 100));

async function raceCase(job: Case): Promise<object> {
  const own = await OwnSide.open(job);
  const { productFlopsPerStep } = own.engine;
  const sides = [
    await warmUp({
      name: 'isoflop',
      steps: count => own.steps(count),
      close: () => own.engine.release(),
      count: 1,
    }),
  ];
  for (const mode of python === undefined ? [] : options.torch.split(',').filter(isMode)) {
    const torch = await TorchTrainer.open(job.config, { python: python!, mode, threads, batch: job.batch });
    sides.push(
      await warmUp({
        name: mode,
        steps: count => torch.steps(count),
        close: () => torch.close(),
        count: 1,
      }),
    );
  }
  const seconds = new Map<string, number[]>(sides.map(({ name }) => [name, []]));
  const peaks: number[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    peaks.push(await runtime.measureGemmPeak({ threads, now: () => performance.now() }));
    for (const side of sides) {
      await pause();
      seconds.get(side.name)!.push(await side.steps(side.count));
    }
  }
  for (const side of sides) await side.close();
  return summary(job, productFlopsPerStep, stats.median(peaks), seconds);
}

const isMode = (text: string): text is 'eager' | 'compile' => text === 'eager' || text === 'compile';

function summary(
  { size, config, batch }: Case,
  productFlops: number,
  peak: number,
  seconds: ReadonlyMap<string, readonly number[]>,
): object {
  const milliseconds = Object.fromEntries(
    [...seconds].map(([name, values]) => [name, round(1000 * stats.median(values), 1)]),
  );
  const { isoflop, ...torch } = milliseconds;
  const own = seconds.get('isoflop')!;
  const best = Object.keys(torch).sort((a, b) => torch[a]! - torch[b]!)[0];
  const flops = productFlops / stats.median(own);
  return {
    size,
    vocab: config.vocabSize,
    length: config.maxLength,
    milliseconds: isoflop,
    tokensPerSecond: Math.round((batch * config.maxLength) / stats.median(own)),
    gflops: round(flops / 1e9, 1),
    peakGflops: round(peak / 1e9, 1),
    peakShare: round(flops / peak, 3),
    ...(best !== undefined && {
      torch,
      best,
      timesFaster: round(torch[best]! / isoflop!, 3),
      timesFasterByRound: own.map((value, i) => round(seconds.get(best)![i]! / value, 2)),
    }),
  };
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

const PROFILED_STEPS = 4;

/** Kernel times of one step, and what of the step is outside of kernels. Profiling itself costs some time. */
async function profileCase(job: Case, by: 'operator' | 'shape'): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'isoflop-profile-'));
  try {
    const unprofiled = await OwnSide.open(job);
    await unprofiled.steps(WARM_UP_STEPS);
    const milliseconds = 1000 * (await unprofiled.steps(PROFILED_STEPS));
    await unprofiled.engine.release();
    const prefix = join(folder, 'step');
    const own = await OwnSide.open(job, { profile: prefix });
    await own.steps(WARM_UP_STEPS);
    await own.steps(PROFILED_STEPS); // the last run, which is what counts
    await own.engine.release(); // writes the profile
    const kernels = kernelTimes(prefix, by).map(sum => perStep(sum));
    const total = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
    const products = kernels.filter(isProduct).reduce((sum, kernel) => sum + kernel.milliseconds, 0);
    return {
      size: job.size,
      vocab: job.config.vocabSize,
      length: job.config.maxLength,
      milliseconds: round(milliseconds, 1),
      kernelMilliseconds: round(total, 1),
      productShare: round(products / total, 3),
      kernels: kernels
        .filter(kernel => kernel.milliseconds > 0.005 * total)
        .map(kernel => ({
          kernel: kernel.kernel,
          calls: kernel.calls,
          milliseconds: round(kernel.milliseconds, 2),
          share: round(kernel.milliseconds / total, 3),
          ...(kernel.flops > 0 && { gflops: round(kernel.flops / kernel.milliseconds / 1e6, 0) }),
        })),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function perStep(sum: KernelTime): KernelTime {
  return {
    ...sum,
    calls: sum.calls / PROFILED_STEPS,
    milliseconds: sum.milliseconds / PROFILED_STEPS,
    flops: sum.flops / PROFILED_STEPS,
  };
}

for (const job of casesOf()) {
  const result = options.profile
    ? await profileCase(job, options.profile === 'shape' ? 'shape' : 'operator')
    : await raceCase(job);
  console.log(JSON.stringify(result));
}
