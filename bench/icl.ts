/**
 * In-context scoring.
 *
 *     node build/bench/icl.js write DIR [WIDTH HEADS LAYERS]   makes a model with random weights there
 *     node build/bench/icl.js scores DIR TASKS.yaml            prints prompts and their log-likelihoods, for bench/peers/icl_transformers.py
 *     node build/bench/icl.js speed DIR TASKS.yaml             tokens a second of 200 items a task, in batches of 2,048 and of 256 tokens in turn
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { data, type graph, icl, models, nn, prettyJson, stats, tokenizer } from 'isoflop';

const ITEMS = 40;
const ROUNDS = 3;
const BATCHES = [2048, 256];

async function writeModel(
  folder: string,
  [dModel = 96, heads = 6, layers = 4]: readonly number[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const documents = data.wordnetDocuments(await data.loadWordNet()).slice(0, 20_000);
  const { json, vocabSize } = await tokenizer.trainTokenizer(one(documents), { vocabSize: 4096 });
  const path = join(folder, 'tokenizer.source.json');
  await writeFile(path, json);
  const config = models.mptConfig({ dModel, heads, layers, vocabSize, maxLength: 256 });
  const weights = new Map<string, graph.Tensor>(
    models.mptParameters(config).map(({ name, shape, initializer }) => {
      const length = shape.reduce((n, dim) => n * dim, 1);
      const values = nn.initialize(name, length, initializer, 17);
      if (shape.length > 1) for (let i = 0; i < length; i++) values[i] = values[i]! * 4; // far from equal probabilities
      return [name, { dtype: 'float32', shape, data: values }];
    }),
  );
  const specialTokens = { eos: '<|endoftext|>', bos: '<|endoftext|>', pad: '<|padding|>' };
  await models.writeMptDirectory(folder, config, weights, {
    tokenizer: { path, specialTokens },
    forTransformers: true,
  });
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value;
}

async function open(folder: string) {
  const { config, weights, tokenizerPath } = await models.readMptDirectory(folder);
  return { config, weights, tokenizer: await tokenizer.Tokenizer.fromFile(tokenizerPath!) };
}

const tasksOf = async (file: string) => {
  const specs = await icl.readTaskFile(file, process.env);
  const loaded = await icl.loadTasks(specs.filter(({ path }) => path !== undefined));
  return loaded.map(({ task }) => task);
};

/** Prompts of the first items of every task, with what we make of them. */
async function printScores(folder: string, file: string): Promise<void> {
  const { tokenizer: ours, ...model } = await open(folder);
  const rows: object[] = [];
  for (const task of await tasksOf(file)) {
    const shots = icl.fewShots(task.records.length, {
      style: 'isoflop',
      shots: task.shots,
      seed: 1234,
      name: task.label,
    });
    const records: readonly icl.IclRecord[] = task.records;
    const context: icl.PromptContext = {
      style: 'isoflop',
      settings: { ...icl.DEFAULT_PROMPT, ...task.prompt },
      workedSolutions: icl.hasWorkedSolutions(task),
    };
    const prompts = records.slice(0, ITEMS).map((record, i) =>
      icl.buildPrompt(
        task.type,
        record,
        shots(i).map(other => records[other]!),
        context,
      ),
    );
    const settings = { style: 'isoflop', contextTokens: model.config.maxLength, name: task.label } as const;
    const encoded = await icl.encodePrompts(prompts, ours, settings);
    const scorer = await icl.Scorer.create(model.config, model.weights);
    const scores = await scorer.score(encoded);
    await scorer.release();
    for (const [i, { preamble, options }] of prompts.entries())
      for (const [j, option] of options.entries()) {
        const { tokens, start, cut } = encoded[i]![j]!;
        rows.push({
          task: task.label,
          preamble,
          ...option,
          cut,
          tokens: [...tokens],
          start,
          ...pick(scores[i]![j]!),
        });
      }
  }
  process.stdout.write(prettyJson(rows));
}

const pick = ({ logLikelihood, greedy }: icl.Score) => ({ logLikelihood, greedy });

/** 200 items of every task on one thread, in batches of two sizes. Processor time, because a shared machine's clock says little. */
async function printSpeed(folder: string, file: string): Promise<void> {
  const { tokenizer: ours, ...model } = await open(folder);
  for (const task of await tasksOf(file)) {
    const rounds: number[][] = [];
    let work: icl.ScorerWork = { tokens: 0, paddedTokens: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const times: number[] = [];
      for (const batchTokens of BATCHES) {
        const before = process.cpuUsage();
        const result = await icl.evaluateIcl(model, ours, [task], { limit: 200, batchTokens, threads: 1 });
        const { user, system } = process.cpuUsage(before);
        times.push((user + system) / 1e6);
        if (batchTokens === BATCHES[0]) work = result.work;
      }
      rounds.push(times);
    }
    const seconds = stats.median(rounds.map(times => times[0]!));
    console.log(
      JSON.stringify({
        ...{ job: 'icl', task: icl.taskKey(task), type: task.type, ...work, processorSeconds: seconds },
        tokensPerProcessorSecond: Math.round(work.tokens / seconds),
        timesWithSmallBatches: stats.median(rounds.map(times => times[1]! / times[0]!)),
      }),
    );
  }
}

const [command, folder, ...rest] = process.argv.slice(2);
if (command === 'write' && folder !== undefined) await writeModel(folder, rest.map(Number));
else if (command === 'scores' && rest[0] !== undefined) await printScores(folder!, rest[0]);
else if (command === 'speed' && rest[0] !== undefined) await printSpeed(folder!, rest[0]);
else throw new Error('usage: icl write DIR [WIDTH HEADS LAYERS] | scores DIR TASKS | speed DIR TASKS');
