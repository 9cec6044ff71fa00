/** Finetuning that is cut off and started again ends in the same bytes; small batches, wrong lengths and strange tokenizers are met. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError, models, Rng, silentProgress, tokenizer, train } from 'isoflop';

const root = await mkdtemp(join(tmpdir(), 'isoflop-finetune-'));
after(() => rm(root, { recursive: true }));

const WORDS =
  'amber birch cedar dune ember fjord grove heath inlet jade kelp lagoon marsh nectar oak peak'.split(' ');
const rng = Rng.from(1, 'pairs');
const sentence = (most: number) =>
  Array.from({ length: 1 + rng.int(most) }, () => WORDS[rng.int(WORDS.length)]!).join(' ');

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

const specialTokens = { eos: '<|endoftext|>', pad: '<|padding|>' };

/** A decoder of a few thousand parameters with a tokenizer of its own. */
async function writeModel(name: string, change: Partial<models.MptConfig> = {}): Promise<string> {
  const texts = Array.from({ length: 200 }, () => sentence(9));
  const { json, vocabSize } = await tokenizer.trainTokenizer(once(texts), { vocabSize: 300, workers: 1 });
  const config = {
    ...models.mptConfig({ dModel: 16, heads: 2, layers: 2, vocabSize, maxLength: 64 }),
    ...change,
  };
  const folder = join(root, name);
  await mkdir(folder);
  await writeFile(`${folder}.json`, json);
  const weights = train.weightsOf(config, train.initialState(config, 3));
  await models.writeMptDirectory(folder, config, weights, {
    tokenizer: { path: `${folder}.json`, specialTokens },
  });
  return folder;
}

/** Pairs with so many negatives each. */
async function writePairs(name: string, count: number, negatives: number): Promise<string> {
  const file = join(root, name);
  const pairs = Array.from({ length: count }, () => ({
    query: sentence(4),
    pos: [sentence(9)],
    neg: Array.from({ length: negatives }, () => sentence(9)),
  }));
  await writeFile(file, pairs.map(pair => `${JSON.stringify(pair)}\n`).join(''));
  return file;
}

const decoder = await writeModel('decoder');

interface Run {
  readonly model?: string;
  readonly pairs: string;
  readonly options?: train.FinetuneFilesOptions;
  readonly emit?: (event: train.TrainEvent) => void;
  readonly signal?: AbortSignal;
}

/** Every step seems to take a second, and is followed by a checkpoint. */
function finetune(folder: string, { model = decoder, pairs, options, emit = () => {}, signal }: Run) {
  let clock = 0;
  const settings = { batchPairs: 4, learningRate: 1e-2, threads: 1, ...options };
  return train.finetuneFiles(model, pairs, settings, {
    ...{
      folder: new train.RunFolder(join(root, folder)),
      emit,
      signal: signal ?? new AbortController().signal,
    },
    ...{ now: () => (clock += 1000), checkpointEveryMs: 0, progress: silentProgress, environment: {} },
  });
}

/** All files of a run by name, times left out. */
async function contents(folder: string): Promise<Record<string, string>> {
  const path = join(root, folder);
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
  const read = async (file: string) => {
    const bytes = await readFile(file);
    const text = file.endsWith('.jsonl')
      ? bytes.toString().replaceAll(/"textsPerSecond":[^,}]*/g, '')
      : bytes.toString('base64');
    return [file.slice(path.length), text] as const;
  };
  const names = files.map(entry => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(await Promise.all(names.map(read)));
}

for (const [way, activationBytes] of [
  ['all at once', 2e9],
  ['in chunks, from cached vectors', 1],
] as const) {
  test(`a run cut off at any step, by a kill or by Ctrl-C, goes on to the same bytes: gradients ${way}`, async () => {
    const pairs = await writePairs(`pairs-${activationBytes}.jsonl`, 17, 2);
    const run = { pairs, options: { activationBytes, epochs: 2 } };
    const name = (kind: string) => `${activationBytes}-${kind}`;
    await finetune(name('whole'), run);
    const expected = await contents(name('whole'));
    assert.ok('/models/embedder/model.safetensors' in expected);
    for (const last of [1, 4, 5, 9]) {
      const killed = name(`killed-${last}`);
      const kill = (event: train.TrainEvent) => {
        if (event.type === 'finetuneStep' && event.step === last) throw new Error('killed');
      };
      await assert.rejects(finetune(killed, { ...run, emit: kill }), /killed/);
      const abort = new AbortController();
      const interrupt = (event: train.TrainEvent) => {
        if (event.type === 'finetuneStep' && event.step === last) abort.abort();
      };
      if (last < 9)
        await assert.rejects(finetune(killed, { ...run, emit: interrupt, signal: abort.signal }), {
          name: 'AbortError',
        });
      const resumed: number[] = [];
      await finetune(killed, {
        ...run,
        emit: event => void (event.type === 'resumed' && resumed.push(event.step)),
      });
      assert.deepEqual(resumed, [last < 9 ? last : 8]);
      assert.deepEqual(await contents(killed), expected, `after step ${last}`);
    }
  });
}

test('a last batch of one pair without negatives has fewer texts than the graph has chunks, and is trained on', async () => {
  const pairs = await writePairs('weak.jsonl', 9, 0);
  const steps: train.FinetuneStepEvent[] = [];
  await finetune('weak', { pairs, emit: event => void (event.type === 'finetuneStep' && steps.push(event)) });
  assert.deepEqual(
    steps.map(({ texts }) => texts),
    [8, 8, 2],
  );
  assert.ok(steps.every(({ paddingShare }) => paddingShare >= 0 && paddingShare < 1));
  assert.ok(steps.slice(0, 2).every(({ lossNats }) => lossNats > 0));
  // One pair alone has nothing to be told from: its gradients are 0, and so is its loss, but for the rounding of a score that is computed in two ways.
  assert.ok(Math.abs(steps.at(-1)!.lossNats) < 1e-5);
  assert.equal(steps.at(-1)!.gradNorm, 0);
});

test('lengths beyond learned positions are told before training; up to the last position they work', async () => {
  const model = await writeModel('learned', { ...models.LEARNED_FLAVOUR, maxLength: 21 });
  const pairs = await writePairs('long.jsonl', 8, 2);
  const lengths = { maxQueryTokens: 21, maxPassageTokens: 21 };
  await assert.rejects(
    finetune('too-long', { model, pairs, options: { trainPassageTokens: 21, trainQueryTokens: 21 } }),
    (error: unknown) => error instanceof InputError && /learned positions end at 21/.test(error.message),
  );
  await assert.rejects(
    finetune('too-long', { model, pairs, options: { trainPassageTokens: 22, embedder: lengths } }),
    /lengths: learned positions end at 21 tokens, texts may have 32/,
  );
  assert.ok(!existsSync(join(root, 'too-long')));
  const options = {
    trainPassageTokens: 21,
    trainQueryTokens: 21,
    embedder: { ...lengths, queryPrefix: sentence(30) },
  };
  await finetune('as-long', { model, pairs, options });
});

test('a tokenizer with more tokens than the model knows is refused before training', async () => {
  const model = await writeModel('foreign-tokenizer');
  const texts = Array.from({ length: 200 }, () => `${sentence(9)} quarry reef slope tide`);
  const { json } = await tokenizer.trainTokenizer(once(texts), { vocabSize: 310, workers: 1 });
  await writeFile(join(model, 'tokenizer.json'), json);
  const pairs = await writePairs('any.jsonl', 4, 1);
  await assert.rejects(
    finetune('foreign', { model, pairs }),
    /foreign-tokenizer: the tokenizer has 310 tokens, the model 300: they do not belong together/,
  );
  assert.ok(!existsSync(join(root, 'foreign')));
});

test('pairs that name documents of a collection take their texts from it', async () => {
  const folder = join(root, 'collection');
  await mkdir(folder);
  const documents = Array.from({ length: 6 }, (_, i) => ({ _id: `d${i}`, title: '', text: sentence(9) }));
  await writeFile(
    join(folder, 'corpus.jsonl'),
    documents.map(document => `${JSON.stringify(document)}\n`).join(''),
  );
  const file = join(root, 'ids.jsonl');
  const pairs = Array.from({ length: 4 }, (_, i) => ({
    ...{ query_id: `q${i}`, query_text: sentence(4) },
    ...{ positive_document_ids: [`d${i}`], negative_document_ids: ['d4', 'd5'] },
  }));
  await writeFile(file, pairs.map(pair => `${JSON.stringify(pair)}\n`).join(''));
  await assert.rejects(finetune('no-corpus', { pairs: file }), /document 'd0' is not known: .*--corpus/);
  await finetune('ids', { pairs: file, options: { corpus: folder } });
  const texts = join(root, 'texts.jsonl');
  const written = pairs.map(({ query_text, positive_document_ids: [d] }) => ({
    ...{ query: query_text, pos: [documents[Number(d!.slice(1))]!.text] },
    neg: [documents[4]!.text, documents[5]!.text],
  }));
  await writeFile(texts, written.map(pair => `${JSON.stringify(pair)}\n`).join(''));
  await finetune('texts', { pairs: texts });
  const weights = (name: string) => readFile(join(root, name, 'models/embedder/model.safetensors'));
  assert.deepEqual(await weights('ids'), await weights('texts'));
});
