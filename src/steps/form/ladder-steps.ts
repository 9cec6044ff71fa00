/** The steps of a ladder study. */
import { resolve } from 'node:path';
import { type ConfigDocument, given, type Locate } from '../../base/index.ts';
import { countParameters, flopsPerToken } from '../../models/index.ts';
import type { Estimate, InputRef, StepRef, StepSpec } from '../../study/index.ts';
import { modelOf } from '../../train/index.ts';
import { costOf } from '../cost.ts';
import { describeBm25 } from '../kinds/bm25.ts';
import { budgetOutputs } from '../kinds/pretrain.ts';
import type { ResultsParams } from '../results/params.ts';
import { type CollectionRef, type DataRefs, dataRefs } from './data-refs.ts';
import { DEVIATIONS } from './deviations.ts';
import { FILE_FIELDS, type Rung, type Sections } from './sections.ts';

/** A model of the ladder at one budget; 0 tokens: not pretrained. */
interface Checkpoint {
  readonly name: string;
  readonly rung: string;
  readonly model: StepRef;
}

/** Builds the list of steps, and remembers what the last of them must know. */
class LadderSteps {
  readonly steps: StepSpec[] = [];
  readonly #sections: Sections;
  readonly #document: ConfigDocument;
  readonly #data: DataRefs;
  readonly #checkpoints: Checkpoint[] = [];
  readonly #scores: { entry: ResultsParams['scores'][number]; ref: StepRef }[] = [];
  readonly #icl: { name: string; ref: StepRef }[] = [];
  readonly #logs: { rung: string; ref: InputRef }[] = [];

  constructor(sections: Sections, data: DataRefs, document: ConfigDocument) {
    this.#sections = sections;
    this.#document = document;
    this.#data = data;
    this.steps.push(...data.steps);
  }

  build(study: string): readonly StepSpec[] {
    const tokenizer = this.#tokenizer();
    this.#shards(tokenizer);
    const overlap = this.#overlap();
    this.#references();
    this.#mine();
    for (const [i, rung] of this.#sections.ladder.entries()) this.#rung(rung, i, tokenizer);
    this.#evaluateCheckpoints();
    this.#results(study, overlap);
    return this.steps;
  }

  #add(
    name: string,
    kind: string,
    params: object,
    inputs: NonNullable<StepSpec['inputs']>,
    section: readonly PropertyKey[],
    estimate?: Estimate,
  ): { step: string } {
    const source = sourceIn(this.#document, this.#data, inputs, section);
    this.steps.push({ name, kind, params, inputs, source, ...(estimate && { estimate }) });
    return { step: name };
  }

  #tokenizer(): InputRef {
    const { tokenizer } = this.#sections;
    if ('file' in tokenizer) return { path: tokenizer.file };
    const { text, textField } = this.#data;
    return this.#add('tokenizer', 'tokenizer', { vocabSize: tokenizer.vocabSize, textField }, { text }, [
      'tokenizer',
    ]);
  }

  #shards(tokenizer: InputRef): void {
    const { heldOutShare, seed } = this.#sections;
    const { text, textField } = this.#data;
    this.#add('shards', 'shards', { textField, heldOutShare, seed }, { text, tokenizer }, ['data']);
  }

  #overlap(): InputRef | undefined {
    const { overlap, icl } = this.#sections;
    if (overlap === false) return undefined;
    const { text, textField, collections, tasks } = this.#data;
    const asked = tasks && icl !== false ? { tasks, only: icl.tasks } : undefined;
    const params = {
      ...{ ...overlap, textField, tasks: asked?.only },
      collections: collections.map(({ name, split }) => ({ name, split })),
    };
    const inputs = { text, collections: collections.map(({ ref }) => ref), tasks: asked?.tasks };
    return this.#add('overlap', 'overlap', params, inputs, ['overlap']);
  }

  #references(): void {
    const { bm25 } = this.#sections.baselines;
    if (bm25 === false) return;
    for (const { name, split, removeSelf, ref } of this.#data.collections) {
      const params = { ...bm25, ...this.#sections.search, split, removeSelf };
      const run = this.#add(`bm25.${name}`, 'bm25', params, { collection: ref }, ['baselines', 'bm25']);
      this.#evaluate(`bm25.${name}`, run, name, {
        role: 'reference',
        of: describeBm25(bm25),
        collection: name,
      });
    }
  }

  #mine(): void {
    const { mine, seed } = this.#sections;
    this.#add('mine', 'mine', { ...mine, seed }, { pairs: this.#data.pairs }, ['mine']);
  }

  #rung(rung: Rung, i: number, tokenizer: InputRef): void {
    const { pretrain, seed, baselines } = this.#sections;
    const name = rungName(rung);
    const { vocabSize } = this.#sections.tokenizer;
    const { learningRate = pretrain.learningRate, threads = pretrain.threads } = rung;
    const budgets = rung.tokens
      .map(budget => ({ budget, tokens: inTokens(budget, rung, pretrain.sequenceLength, vocabSize) }))
      .sort((a, b) => a.tokens - b.tokens);
    const tokens = budgets.map(budget => budget.tokens);
    const params = { ...pretrain, model: rung.model, tokens, learningRate, threads, seed, vocabSize };
    const place = ['ladder', i];
    const inputs = { shards: { step: 'shards' }, tokenizer };
    const pretrained = this.#add(`pretrain.${name}`, 'pretrain', params, inputs, place);
    this.#logs.push({ rung: name, ref: pretrained });
    if (baselines.untrained) {
      const { sequenceLength, flopsConvention } = pretrain;
      const shape = { model: rung.model, sequenceLength, seed, flopsConvention, vocabSize };
      const model = this.#add(`untrained.${name}`, 'initialize', shape, { tokenizer }, place);
      this.#checkpoints.push({ name: `${name}.untrained`, rung: name, model });
    }
    for (const [j, [output]] of [...budgetOutputs(params)].entries()) {
      const label = labelOf(budgets[j]!.budget);
      const model = { step: `pretrain.${name}`, output };
      this.#checkpoints.push({ name: `${name}.${label}`, rung: name, model });
    }
  }

  #evaluateCheckpoints(): void {
    const { zeroShot } = this.#sections.baselines;
    const smallest = smallestRung(this.#sections);
    for (const checkpoint of this.#checkpoints) {
      const { name, rung, model } = checkpoint;
      const { finetune, embedder, seed, icl } = this.#sections;
      const { tasks, collections } = this.#data;
      if (tasks && icl !== false) {
        const drawn = icl.prompts === 'llm-foundry' ? {} : { seed }; // its own examples are drawn by its own seed
        const ref = this.#add(`icl.${name}`, 'icl', { ...icl, ...drawn }, { model, tasks }, ['icl']);
        this.#icl.push({ name, ref });
      }
      const inputs = { model, pairs: { step: 'mine' } };
      const params = { ...finetune, seed, embedder };
      const cost = this.#finetuneCost(rung);
      const tuned = this.#add(`finetune.${name}`, 'finetune', params, inputs, ['finetune'], cost);
      const refined = { ...tuned, output: 'embedder' };
      for (const collection of collections) {
        this.#retrieve(name, refined, collection, 'finetuned', name);
        if (zeroShot === 'all' || (zeroShot === 'smallest' && rung === smallest))
          this.#retrieve(`zero-shot.${name}`, model, collection, 'zeroShot', name);
      }
    }
  }

  /** Of all tokens that finetuning can have, if it is known how many pairs there are. */
  #finetuneCost(name: string): Estimate | undefined {
    const { finetune, ladder, tokenizer, pretrain } = this.#sections;
    const { pairCount } = this.#data;
    const rung = ladder.find(one => rungName(one) === name);
    if (pairCount === undefined || rung === undefined) return undefined;
    const { negatives, epochs, trainQueryTokens, trainPassageTokens: length, threads } = finetune;
    const tokens = epochs * pairCount * (trainQueryTokens + (1 + negatives) * length);
    const model = modelOf({ model: rung.model, sequenceLength: length }, tokenizer.vocabSize);
    return costOf(flopsPerToken(model, pretrain.flopsConvention) * tokens, threads);
  }

  #retrieve(
    prefix: string,
    model: InputRef,
    { name, split, removeSelf, ref }: CollectionRef,
    role: 'finetuned' | 'zeroShot',
    of: string,
  ): void {
    const { embedder, search, finetune } = this.#sections;
    const { threads } = finetune;
    const at = `${prefix}.${name}`;
    const inputs = { model, collection: ref };
    const encoded = this.#add(`encode.${at}`, 'encode', { split, embedder, threads }, inputs, ['embedder']);
    const found = this.#add(
      `search.${at}`,
      'search',
      { ...search, removeSelf, threads },
      { embeddings: encoded },
      ['search'],
    );
    this.#evaluate(at, found, name, { role, of, collection: name });
  }

  #evaluate(at: string, run: InputRef, collection: string, entry: ResultsParams['scores'][number]): void {
    const { split, ref } = this.#data.collections.find(({ name }) => name === collection)!;
    const { level, resamples, seed } = this.#sections.scaling;
    const params = { split, level, resamples, seed };
    const scored = this.#add(`evaluate.${at}`, 'evaluate', params, { run, collection: ref }, ['scaling']);
    this.#scores.push({ entry, ref: scored });
  }

  /** Names of the steps that made a checkpoint's numbers. */
  #sourcesOf({ name, model }: Checkpoint) {
    const scored = (role: string) =>
      this.#scores.filter(({ entry }) => entry.role === role && entry.of === name).map(({ ref }) => ref.step);
    return {
      pretraining: [model.step],
      finetuned: scored('finetuned'),
      zeroShot: scored('zeroShot'),
      icl: this.#icl.filter(entry => entry.name === name).map(({ ref }) => ref.step),
    };
  }

  #referenceSources(): Record<string, string[]> {
    const sources: Record<string, string[]> = {};
    for (const { entry, ref } of this.#scores)
      if (entry.role === 'reference') sources[entry.of] = [...(sources[entry.of] ?? []), ref.step];
    return sources;
  }

  #results(study: string, overlap: InputRef | undefined): void {
    const { title = study, description, scaling, caveats, deviations } = this.#sections;
    const params: ResultsParams = {
      study,
      title,
      description,
      scaling,
      collections: this.#data.collections.map(({ name, title: full, inMean }) => ({
        name,
        title: full,
        inMean,
      })),
      checkpoints: this.#checkpoints.map(checkpoint => ({
        name: checkpoint.name,
        rung: checkpoint.rung,
        sources: this.#sourcesOf(checkpoint),
      })),
      referenceSources: this.#referenceSources(),
      scores: this.#scores.map(({ entry }) => entry),
      icl: this.#icl.map(({ name }) => name),
      logs: this.#logs.map(({ rung }) => rung),
      caveats,
      deviations: [...DEVIATIONS, ...deviations],
    };
    const inputs = {
      models: this.#checkpoints.map(({ model }) => model),
      scores: this.#scores.map(({ ref }) => ref),
      icl: this.#icl.map(({ ref }) => ref),
      logs: this.#logs.map(({ ref }) => ref),
      overlap,
    };
    this.#add('results', 'results', params, inputs, ['scaling']);
  }
}

export function ladderSteps(
  sections: Sections,
  study: string,
  folder: string,
  document: ConfigDocument,
): readonly StepSpec[] {
  const { tokenizer } = sections;
  const placed = 'file' in tokenizer ? { ...tokenizer, file: resolve(folder, tokenizer.file) } : tokenizer;
  const data = dataRefs(sections, folder, document);
  const places = 'file' in placed ? new Map([...data.places, [placed.file, TOKENIZER_FILE]]) : data.places;
  return new LadderSteps({ ...sections, tokenizer: placed }, { ...data, places }, document).build(study);
}

/** Where the path of a tokenizer stands. */
const TOKENIZER_FILE: readonly PropertyKey[] = ['tokenizer', 'file'];

/** What can be checked of a file whose sections have faults: that its files exist and its rungs have different names. */
export function probeSteps(
  sections: Partial<Sections>,
  folder: string,
  document: ConfigDocument,
): StepSpec[] {
  const { data = readableData(document), ladder = [], tokenizer } = sections;
  const rungs = ladder.map((rung, i) => ({
    name: `pretrain.${rungName(rung)}`,
    kind: undefined,
    source: () => document.locate(['ladder', i]),
  }));
  const file = tokenizer && 'file' in tokenizer ? resolve(folder, tokenizer.file) : undefined;
  const tokenizers: StepSpec[] = file
    ? [
        {
          ...{ name: 'tokenizer', kind: undefined, inputs: { file: { path: file } } },
          source: () => document.locate(TOKENIZER_FILE),
        },
      ]
    : [];
  if ('wordnet' in data) return [...rungs, ...tokenizers];
  const refs = dataRefs({ data }, folder, document);
  const { steps, text, pairs, collections, tasks } = refs;
  const drawn = data.pairs.length > 0 ? { pairs } : {};
  const inputs = { text, ...drawn, tasks: tasks ?? [], collections: collections.map(({ ref }) => ref) };
  const source = sourceIn(document, refs, inputs, ['data']);
  return [...rungs, ...tokenizers, ...steps, { name: 'data', kind: undefined, inputs, source }];
}

type FileData = Exclude<Sections['data'], { wordnet: unknown }>;

/** Of a `data` section with faults what is right in it, so that its paths are looked at all the same. */
function readableData(document: ConfigDocument): FileData {
  const { data } = document.value as { readonly data?: unknown };
  const said = data !== null && typeof data === 'object' ? (data as Record<string, unknown>) : {};
  const field = <K extends keyof typeof FILE_FIELDS>(key: K) => FILE_FIELDS[key].safeParse(said[key]).data;
  return {
    ...{ text: [], textField: 'text', pairs: [], collections: {} },
    ...given({ text: field('text'), pairs: field('pairs'), collections: field('collections') }),
    tasks: field('tasks'),
  } as FileData;
}

/** Where a part of a step stands: a parameter in its section, a path where the data name it. */
function sourceIn(
  document: ConfigDocument,
  { places }: DataRefs,
  inputs: NonNullable<StepSpec['inputs']>,
  section: readonly PropertyKey[],
): Locate {
  return ([part, ...inner]) => {
    if (part === 'params') return document.locate([...section, ...inner]);
    const [name, place] = inner;
    const said = part === 'inputs' ? inputs[String(name)] : undefined;
    const ref = Array.isArray(said)
      ? (said as readonly InputRef[])[Number(place)]
      : (said as InputRef | undefined);
    return document.locate((ref && 'path' in ref && places.get(ref.path)) || section);
  };
}

/** The rung with the fewest parameters. */
function smallestRung({ ladder, pretrain, tokenizer }: Sections): string {
  const sized = ladder.map(rung => ({
    name: rungName(rung),
    params: countParameters(modelOf({ ...pretrain, model: rung.model }, tokenizer.vocabSize)).total,
  }));
  return sized.reduce((least, rung) => (rung.params < least.params ? rung : least)).name;
}

/** `200k` of `mpt-200k`, the given name, or the shape. */
function rungName({ name, model }: Rung): string {
  if (name !== undefined) return name;
  return typeof model === 'string' ? model.replace(/^mpt-/i, '') : `d${model.dModel}-l${model.layers}`;
}

type Budget = Rung['tokens'][number];

/** A budget in tokens. */
export function inTokens(budget: Budget, { model }: Rung, sequenceLength: number, vocabSize: number): number {
  if (typeof budget === 'number') return budget;
  const { total } = countParameters(modelOf({ model, sequenceLength }, vocabSize));
  return Math.round(Number.parseFloat(budget) * total);
}

/** `500k`, `2M`, `20x`: exact, so that different budgets have different names. */
function labelOf(budget: Budget): string {
  if (typeof budget === 'string') return budget;
  for (const [unit, size] of [
    ['B', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (budget >= size && Number.isInteger((budget / size) * 100)) return `${budget / size}${unit}`;
  return String(budget);
}
