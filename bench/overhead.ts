/**
 * What of pretraining is our TypeScript and not the engine's work: reading batches, checking and wrapping tensors, metrics, progress. Runs the
 * real thing (`pretrainFromConfig`: shards on disk, metrics.jsonl) on WordNet and prints a JSON line a size: from the first run of the training
 * graph to the end of the last, the share of time outside of `InferenceSession.run`.
 *
 *     node build/bench/overhead.js [--sizes mpt-1m,mpt-50k] [--steps 120]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { silentProgress, stats, train } from 'isoflop';
import { InferenceSession } from 'onnxruntime-node';

const { values: options } = parseArgs({
  options: {
    sizes: { type: 'string', default: 'mpt-1m,mpt-50k' },
    steps: { type: 'string', default: '120' },
  },
});

/** When a run of the training graph began and ended, milliseconds. */
interface Span {
  readonly began: number;
  readonly ended: number;
}

const spans: Span[] = [];
type Run = InferenceSession['run'];
const { prototype } = InferenceSession as unknown as { readonly prototype: { run: Run } };
const { run } = prototype;
prototype.run = async function timed(this: InferenceSession, ...given: unknown[]) {
  const began = performance.now();
  const results = await (run as (...all: unknown[]) => ReturnType<Run>).apply(this, given);
  if ('learningRates' in (given[0] as object)) spans.push({ began, ended: performance.now() });
  return results;
} as Run;

async function measure(size: string, folder: string): Promise<object> {
  spans.length = 0;
  const tokens = 2048 * Number(options.steps);
  const settings = {
    model: size,
    tokens,
    evaluateEveryTokens: tokens,
    warmupTokens: 4096,
    heldOutTokens: 2048,
  };
  let tokensPerSecond: number[] = [];
  await train.pretrainFromConfig(train.pretrainSchema.parse(settings), join(folder, size), {
    progress: silentProgress,
    emit: event => {
      if (event.type === 'step') tokensPerSecond = [...tokensPerSecond, event.tokensPerSecond];
    },
    signal: new AbortController().signal,
    now: () => performance.now(),
    environment: process.env,
    checkpointEveryMs: Number.POSITIVE_INFINITY,
  });
  const whole = spans.at(-1)!.ended - spans[0]!.began;
  const inside = spans.reduce((sum, { began, ended }) => sum + ended - began, 0);
  return {
    size,
    steps: Number(options.steps),
    runs: spans.length,
    millisecondsAStep: Number((whole / Number(options.steps)).toFixed(2)),
    outsideMillisecondsAStep: Number(((whole - inside) / Number(options.steps)).toFixed(3)),
    outsideShare: Number(((whole - inside) / whole).toFixed(5)),
    tokensPerSecond: Math.round(stats.median(tokensPerSecond)),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'isoflop-overhead-'));
try {
  for (const size of options.sizes.split(',')) console.log(JSON.stringify(await measure(size, folder)));
} finally {
  rmSync(folder, { recursive: true });
}
