/**
 * Memory of training: the peak at 16M parameters, and whether it grows. A JSON line each; every measurement in a process of its own.
 *
 *     node build/bench/train-memory.js             both
 *     node build/bench/train-memory.js peak [--size mpt-16m] [--vocab 8192] [--length 256] [--steps 4]
 *     node build/bench/train-memory.js growth [--size mpt-50k] [--vocab 4096] [--steps 1000]
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { models, nn, Rng, stats, train } from 'isoflop';
import { peakMb } from './race.ts';

const { positionals, values: options } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string' },
    vocab: { type: 'string' },
    length: { type: 'string', default: '256' },
    tokens: { type: 'string', default: '2048' },
    steps: { type: 'string' },
    threads: { type: 'string', default: '2' },
  },
});

interface Defaults {
  readonly size: string;
  readonly vocab: string;
  readonly steps: string;
}

const DEFAULTS: Readonly<Record<string, Defaults>> = {
  peak: { size: 'mpt-16m', vocab: '8192', steps: '4' },
  growth: { size: 'mpt-50k', vocab: '4096', steps: '1000' },
};

const residentMb = (): number => process.memoryUsage().rss / 1e6;

/** Takes steps one run each, which is more runs than training makes, and looks at the resident memory after every one. */
async function residentAfterSteps(defaults: Defaults): Promise<{ size: string; resident: number[] }> {
  const { size, vocab, steps } = { ...defaults, ...options };
  const length = Number(options.length);
  const batch = Number(options.tokens) / length;
  const config = models.requireNamedMpt(size, { vocabSize: Number(vocab), maxLength: length });
  const step = { batch, length, accumulation: 1, maxGradNorm: 1, adamW: nn.LADDER_ADAMW };
  const engine = await train.PretrainEngine.create(config, step, { threads: Number(options.threads) });
  engine.load(train.initialState(config, 17));
  const rng = Rng.from(17, 'train-memory');
  const resident: number[] = [];
  for (let firstStep = 0; firstStep < Number(steps); firstStep++) {
    const ids = Int32Array.from({ length: batch * (length + 1) }, () => rng.int(config.vocabSize));
    await engine.takeSteps(ids, { firstStep, learningRates: [1e-3], peakLearningRate: 1e-3 });
    resident.push(residentMb());
  }
  await engine.release();
  return { size, resident };
}

/** Medians of the resident memory over each tenth of the steps: flat if the last is near the second. */
async function growth(defaults: Defaults): Promise<object> {
  const { size, resident } = await residentAfterSteps(defaults);
  const tenth = Math.ceil(resident.length / 10);
  const medians = Array.from({ length: 10 }, (_, i) =>
    Math.round(stats.median(resident.slice(i * tenth, (i + 1) * tenth))),
  );
  return { what: 'growth', size, steps: resident.length, residentMbByTenth: medians, peakMb: peakMb() };
}

async function peak(defaults: Defaults): Promise<object> {
  const { size, resident } = await residentAfterSteps(defaults);
  return { what: 'peak', size, steps: resident.length, peakMb: peakMb() };
}

const [what] = positionals;
if (what === undefined) {
  for (const each of Object.keys(DEFAULTS))
    process.stdout.write(execFileSync(process.execPath, [fileURLToPath(import.meta.url), each]));
} else if (what === 'peak' || what === 'growth') {
  console.log(JSON.stringify(await { peak, growth }[what](DEFAULTS[what]!)));
} else {
  throw new Error('usage: train-memory [peak|growth]');
}
