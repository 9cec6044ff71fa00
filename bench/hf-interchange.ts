/**
 * isoflop's side of bench/peers/hf_interchange.py, which races nothing but compares everything: model directories and safetensors files
 * go from one side to the other, and both must find the same numbers. Prints one JSON object.
 *
 *     node build/bench/hf-interchange.js write DIR     writes model directories of every flavour and a file of every element type
 *     node build/bench/hf-interchange.js logits DIR    reads one model directory and prints its logits for fixed ids
 *     node build/bench/hf-interchange.js verdicts DIR  says for each file whether its header is accepted
 *     node build/bench/hf-interchange.js large FILE    writes and reads a file of more than 4 GB
 */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { graph, InputError, models, nn, Rng, runtime } from 'isoflop';

const { input, makeGraph, numbersOf, optimize, tensor } = graph;

/** The ids that both sides run a model on. */
function idsOf(config: models.MptConfig): graph.Tensor {
  const length = Math.min(12, config.maxLength);
  const ids = Array.from({ length: 2 * length }, (_, i) => (7 * i * i + 3 * i + 1) % config.vocabSize);
  return tensor('int32', [2, length], ids);
}

async function logitsOf({ config, weights }: models.MptModel): Promise<number[]> {
  const parameters = models.parameterInputs(config);
  const feed = idsOf(config);
  const ids = input('ids', 'int32', feed.shape);
  const hidden = models.mptHidden(config, parameters, ids, { tokens: feed.data.length });
  const outputs = { logits: models.mptLogits(parameters, hidden) };
  const session = await runtime.Session.create(optimize(makeGraph([...parameters.values(), ids], outputs)), {
    threads: 1,
    constants: weights,
  });
  const { logits } = await session.run({ ids: feed });
  await session.release();
  return numbersOf(logits!);
}

function randomWeights(config: models.MptConfig, seed: number): Map<string, graph.Tensor> {
  return new Map(
    models.mptParameters(config).map(({ name, shape, initializer }) => {
      const data = nn.initialize(name, graph.elementCount(shape), initializer, seed);
      const noise = Rng.from(seed, 'noise', name); // norms of 1 and biases of 0 would hide mistakes
      return [name, { dtype: 'float32', shape, data: data.map(x => x + 0.1 * noise.normal()) }];
    }),
  );
}

const SHAPE = { dModel: 48, heads: 4, layers: 3, vocabSize: 97, maxLength: 32 };

const CASES: readonly { name: string; shape: Partial<models.MptConfig>; options: models.MptExportOptions }[] =
  [
    { name: 'alibi-4-heads', shape: {}, options: {} },
    { name: 'alibi-6-heads', shape: { heads: 6 }, options: {} },
    { name: 'alibi-3-heads-sharded', shape: { heads: 3 }, options: { maxShardBytes: 40_000 } },
    { name: 'alibi-bf16', shape: {}, options: { weightType: 'BF16' } },
    { name: 'alibi-f16', shape: {}, options: { weightType: 'F16' } },
  ];

async function write(folder: string): Promise<unknown> {
  // Before any session: the engine makes its thread flush denormals to zero, and one of these numbers is denormal.
  await models.writeSafetensors(join(folder, 'every-type.safetensors'), everyType(), {
    metadata: { format: 'pt', note: 'é\u{1f600}"\\' },
  });
  const logits: Record<string, number[]> = {};
  for (const { name, shape, options } of CASES) {
    const config = models.mptConfig({ ...SHAPE, ...shape });
    const path = join(folder, name);
    const forTransformers = { ...options, forTransformers: true };
    await models.writeMptDirectory(path, config, randomWeights(config, 17), forTransformers);
    logits[name] = await logitsOf(await models.readMptDirectory(path));
  }
  const tokenizer = {
    path: await writeTokenizer(folder),
    specialTokens: { eos: '<|endoftext|>', pad: '<|pad|>' },
  };
  const config = models.mptConfig(SHAPE);
  await models.writeMptDirectory(join(folder, 'with-tokenizer'), config, randomWeights(config, 17), {
    tokenizer,
  });
  return { logits, tokenizer: 'with-tokenizer' };
}

/** A byte-level tokenizer with two special tokens and no merges. */
async function writeTokenizer(folder: string): Promise<string> {
  const path = join(folder, 'bytes.json');
  const special = (id: number, content: string) => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  });
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz', (letter, i) => [letter, i + 2]);
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const tokenizer = {
    ...{ version: '1.0', truncation: null, padding: null, normalizer: null, post_processor: null },
    added_tokens: [special(0, '<|endoftext|>'), special(1, '<|pad|>')],
    pre_tokenizer: byteLevel,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      vocab: Object.fromEntries([['<|endoftext|>', 0], ['<|pad|>', 1], ...letters]),
      merges: [],
    },
  };
  await writeFile(path, JSON.stringify(tokenizer));
  return path;
}

function everyType(): Map<string, graph.Tensor> {
  return new Map([
    ['f32', tensor('float32', [2, 3], [1.5, -0, 1e-45, 3.4e38, 0.1, -7])],
    ['f64', tensor('float64', [2], [Math.PI, 5e-324])],
    ['i64', tensor('int64', [2], [2 ** 52, -(2 ** 52)])],
    ['i32', tensor('int32', [3], [2 ** 31 - 1, -(2 ** 31), 0])],
    ['bool', tensor('bool', [4], [1, 0, 0, 1])],
    ['scalar', tensor('float32', [], [42])],
    ['empty', tensor('float32', [0, 4], [])],
    ['名前 "\\\n', tensor('float32', [1], [1])],
    ['__proto__', tensor('float32', [1], [2])],
  ]);
}

async function verdicts(folder: string): Promise<unknown> {
  const found: Record<string, string> = {};
  for (const name of await readdir(folder)) {
    try {
      await models.readSafetensors(join(folder, name), { nonFinite: true });
      found[name] = 'read';
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      found[name] = error.message;
    }
  }
  return found;
}

/** 4.5 GB of float32 in three tensors, the last of which begins beyond 2^32 bytes. */
async function large(path: string): Promise<unknown> {
  const sources = ['a', 'b', 'c'].map((name, k): models.TensorSource => {
    const shape = [375_000, 1000];
    const load = () => {
      const data = new Float32Array(graph.elementCount(shape));
      for (let i = 0; i < data.length; i++) data[i] = (i % 1_000_003) + k;
      return { dtype: 'float32', shape, data } as const;
    };
    return { name, dtype: 'float32', shape, load };
  });
  const began = performance.now();
  await models.writeSafetensorsFrom(path, sources);
  const written = performance.now();
  const file = await models.SafetensorsFile.open(path);
  let wrong = 0;
  for (const { name, load } of sources) if (!graph.sameNumbers(await file.read(name), await load())) wrong++;
  await file.close();
  const { size } = await stat(path);
  const seconds = { write: (written - began) / 1000, readAndCompare: (performance.now() - written) / 1000 };
  return { bytes: size, wrong, seconds, maxRssMb: process.resourceUsage().maxRSS / 1024 };
}

const [mode, path = ''] = process.argv.slice(2);
const modes: Record<string, () => Promise<unknown>> = {
  write: () => write(path),
  logits: async () => {
    const model = await models.readMptDirectory(path);
    return { ids: numbersOf(idsOf(model.config)), logits: await logitsOf(model) };
  },
  verdicts: () => verdicts(path),
  large: () => large(path),
};
const run = modes[mode ?? ''];
if (!run) throw new Error(`expected one of ${Object.keys(modes).join(' ')}`);
process.stdout.write(`${JSON.stringify(await run())}\n`);
