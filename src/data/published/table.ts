/**
 * Published results as one table of facts: retrieval scores of model families, what is known of the pretraining of their
 * backbones, and the backbones' in-context scores. Every row names its source and its caveats; what no source gives is empty.
 */
import { InternalError } from '../../base/index.ts';
import { parseTable, type Table } from '../results/csv.ts';
import { baseModelsCsv } from './base-models.ts';
import { luoCsv } from './luo.ts';
import { mtebCsv } from './mteb.ts';
import { pythiaCsv } from './pythia.ts';

/** BEIR's fourteen public zero-shot sets (MTEB task names), CQADupStack as the mean of its twelve forums. */
export const BEIR_14 = [
  ...['ArguAna', 'ClimateFEVER', 'CQADupstackRetrieval', 'DBPedia', 'FEVER', 'FiQA2018', 'HotpotQA'],
  ...['NFCorpus', 'NQ', 'QuoraRetrieval', 'SCIDOCS', 'SciFact', 'Touche2020', 'TRECCOVID'],
] as const;
/** The thirteen that Luo et al. and RepLLaMA average: without CQADupStack. */
export const BEIR_13 = BEIR_14.filter(name => name !== 'CQADupstackRetrieval');
/** The fifteen of MTEB's retrieval average: with MS MARCO dev. */
export const BEIR_15 = [...BEIR_14, 'MSMARCO'];

const ICL = [
  ...[
    'hellaswag',
    'mmlu',
    'arc_challenge',
    'arc_easy',
    'winograd',
    'winogrande',
    'wsc',
    'xwinograd',
    'truthfulqa',
  ],
  ...['gsm8k', 'lambada_openai', 'piqa', 'sciq', 'logiqa'],
] as const;

export const PUBLISHED_COLUMNS = [
  ...['model', 'family', 'type', 'study', 'base', 'params', 'tokens', 'flops', 'beir13', 'beir14', 'beir15'],
  ...BEIR_15,
  'msmarco_mrr_at_10',
  ...ICL,
  ...['source', 'caveats'],
] as const;

type Row = Readonly<Record<string, string>>;
type Cells = Record<string, string | undefined>;

const BERT_TOKENS =
  '1,000,000 steps of 256 x 512 tokens (Devlin et al. 2019, A.2); an upper bound, since most steps used shorter sequences';

/** Backbones whose pretraining is sourced, by the retriever made of them. */
const BACKBONES: readonly (readonly [RegExp, string])[] = [
  [/^Muennighoff\/SGPT-125M-/, 'EleutherAI/gpt-neo-125m'],
  [/^Muennighoff\/SGPT-1\.3B-/, 'EleutherAI/gpt-neo-1.3B'],
  [/^Muennighoff\/SGPT-2\.7B-/, 'EleutherAI/gpt-neo-2.7B'],
  [/^Muennighoff\/SGPT-5\.8B-/, 'EleutherAI/gpt-j-6b'],
  [/^bigscience\/sgpt-bloom-7b1-/, 'bigscience/bloom-7b1'],
  [/^izhx\/udever-bloom-560m$/, 'bigscience/bloom-560m'],
  [/^izhx\/udever-bloom-1b1$/, 'bigscience/bloom-1b1'],
  [/^izhx\/udever-bloom-3b$/, 'bigscience/bloom-3b'],
  [/^izhx\/udever-bloom-7b1$/, 'bigscience/bloom-7b1'],
  [/Llama-2-7b-chat-hf/, 'meta-llama/Llama-2-7b-hf'],
  [/Meta-Llama-3-8B-Instruct/, 'meta-llama/Meta-Llama-3-8B'],
  [/LLM2Vec-Mistral-7B|e5-mistral-7b|SFR-Embedding-Mistral/, 'mistralai/Mistral-7B-v0.1'],
];

/** MTEB's Table 1 retrieval average (15 sets with MS MARCO dev) where the result files lack MS MARCO. */
const MTEB_TABLE_1: Readonly<Record<string, number>> = {
  'Muennighoff/SGPT-125M-weightedmean-msmarco-specb-bitfit': 0.3704,
  'Muennighoff/SGPT-1.3B-weightedmean-msmarco-specb-bitfit': 0.4449,
  'Muennighoff/SGPT-2.7B-weightedmean-msmarco-specb-bitfit': 0.4654,
  'Muennighoff/SGPT-5.8B-weightedmean-msmarco-specb-bitfit': 0.5025,
  'bigscience/sgpt-bloom-7b1-msmarco': 0.4821,
  'sentence-transformers/gtr-t5-large': 0.4742,
  'sentence-transformers/gtr-t5-xl': 0.4796,
  'sentence-transformers/gtr-t5-xxl': 0.4848,
  'sentence-transformers/sentence-t5-large': 0.3671,
  'sentence-transformers/sentence-t5-xl': 0.3847,
  'sentence-transformers/sentence-t5-xxl': 0.4224,
};

const OBS = 'Ruan et al. 2024 (arXiv 2405.10938), github.com/ryoungj/ObsScaling';
const TUNED = "a retriever's scores also depend on its finetuning, which differs between families";

let cached: Table | undefined;

/** The whole table, one row a model (Pythia: a row a checkpoint). */
export function publishedTable(): Table {
  cached ??= build();
  return cached;
}

function build(): Table {
  const base = new Map(rowsOf(baseModelsCsv).map(row => [row['model']!, row]));
  const rows = [
    ...rowsOf(luoCsv).map(row => luoRow(row, base)),
    ...rowsOf(mtebCsv).map(row => mtebRow(row, base)),
    ...rowsOf(baseModelsCsv).map(baseRow),
    ...rowsOf(pythiaCsv).map(pythiaRow),
  ];
  return {
    source: 'published',
    columns: PUBLISHED_COLUMNS,
    rows: rows.map((row, i) => ({ line: i + 2, cells: PUBLISHED_COLUMNS.map(name => row[name] ?? '') })),
  };
}

function rowsOf(csv: string): Row[] {
  const { columns, rows } = parseTable(csv, 'published');
  return rows.map(({ cells }) => Object.fromEntries(columns.map((name, i) => [name, cells[i]!])));
}

/** Text of a number with at most `digits` significant digits, exact where it can be. */
function text(value: number, digits = 6): string {
  return String(Number(value.toPrecision(digits)));
}

/** Parameters, tokens and 6ND of a backbone, and its in-context scores. */
function pretraining(base: Row | undefined): Cells {
  if (base === undefined) return {};
  const flops = base['tokens'] ? text(6 * Number(base['params']) * Number(base['tokens'])) : '';
  const scores = Object.fromEntries(ICL.map(name => [name, base[name]]));
  return { params: base['params'], tokens: base['tokens'], flops, ...scores };
}

function luoRow(row: Row, base: ReadonlyMap<string, Row>): Cells {
  const fraction = (value: string | undefined) => (value ? text(Number(value) / 100) : '');
  const model = row['model']!;
  const backbone = base.get(row['base']!);
  const scores = BEIR_13.map(name => Number(row[name]));
  const mean = scores.reduce((sum, v) => sum + v, 0) / scores.length;
  const apart = Math.abs(mean - Number(row['average'])) > 0.11;
  const caveats = [
    'same LoRA finetuning on MS MARCO for all; beir13 is the average the paper prints',
    ...(apart ? [`its printed sets average ${mean.toFixed(2)}, not ${row['average']}`] : []),
    ...(model === 'Gemma-2B' ? ['the 6T tokens listed for Gemma-2B are doubtful: other sources say 3T'] : []),
    ...(model.startsWith('BERT') ? [BERT_TOKENS] : []),
    ...(model.startsWith('T5')
      ? ['encoder half of an encoder-decoder; parameters and tokens not sourced']
      : []),
  ];
  return {
    ...pretraining(backbone),
    ...(model.startsWith('BERT') ? bertPretraining(model) : {}),
    ...Object.fromEntries(
      [...BEIR_13, 'MSMARCO', 'msmarco_mrr_at_10'].map(name => [name, fraction(row[name])]),
    ),
    model: `luo2024/${model}`,
    family: `Luo-${row['family']}`,
    type: row['type'],
    study: 'luo2024',
    base: row['base'],
    beir13: fraction(row['average']),
    source: `Luo et al. 2024 (arXiv 2408.12194)${backbone ? `; pretraining and in-context scores: ${OBS}` : ''}`,
    caveats: caveats.join('; '),
  };
}

/** Parameters as the introduction of arXiv 2508.17400 counts BERT's two sizes; tokens as its paper counts its batches. */
function bertPretraining(model: string): Cells {
  const params = model === 'BERT-base' ? 110e6 : 340e6;
  const tokens = 1e6 * 256 * 512;
  return { params: text(params), tokens: String(tokens), flops: text(6 * params * tokens) };
}

function mtebRow(row: Row, base: ReadonlyMap<string, Row>): Cells {
  const model = row['model']!;
  const name = BACKBONES.find(([pattern]) => pattern.test(model))?.[1];
  const known = name === undefined ? undefined : pretraining(base.get(name));
  const average = (set: readonly string[]) => {
    if (!set.every(task => row[task])) return '';
    return text(set.reduce((sum, task) => sum + Number(row[task]), 0) / set.length, 5);
  };
  const fromTable1 = row['MSMARCO'] ? undefined : MTEB_TABLE_1[model];
  const caveats = [
    TUNED,
    ...(row['revision']!.includes('filled') ? ['some sets filled in from other revisions of the model'] : []),
    ...(row['paramsSource']!.startsWith('nominal') ? ['parameters are nominal'] : []),
    ...(fromTable1 ? ["beir15 is from MTEB's Table 1"] : []),
    ...(/chat|Instruct/.test(model) && name
      ? ['pretraining and in-context scores are those of the base model']
      : []),
    ...(row['type'] === 'encoder' ? ['training tokens of the backbone not sourced'] : []),
    ...(row['type'] === 'lexical' ? ['no parameters: a lexical baseline'] : []),
  ];
  return {
    ...known,
    ...Object.fromEntries(BEIR_15.map(task => [task, row[task]])),
    model,
    family: row['family'] === 'SGPT-BE-msmarco' ? 'SGPT-msmarco' : row['family'],
    type: row['type'],
    study: 'mteb',
    base: name ?? '',
    params: row['type'] === 'lexical' ? '' : known?.['params'] || row['params'],
    beir13: average(BEIR_13),
    beir14: average(BEIR_14),
    beir15: fromTable1 ? String(fromTable1) : average(BEIR_15),
    source: `embeddings-benchmark/results f4cc6c8b (CC0)${fromTable1 ? '; MTEB Table 1 (arXiv 2210.07316)' : ''}${known?.['flops'] ? `; pretraining and in-context scores: ${OBS}` : ''}`,
    caveats: caveats.join('; '),
  };
}

function baseRow(row: Row): Cells {
  return {
    ...pretraining(row),
    model: row['model'],
    family: row['family'],
    type: 'decoder',
    study: 'obsscaling2024',
    base: row['model'],
    source: OBS,
    caveats: 'a base language model: in-context scores only, parameters and tokens nominal',
  };
}

/** Pythia trained on 1,024 sequences of 2,048 tokens a step. */
const PYTHIA_TOKENS_A_STEP = 1024 * 2048;

function pythiaRow(row: Row): Cells {
  const tokens = Number(row['step']) * PYTHIA_TOKENS_A_STEP;
  if (!Number.isSafeInteger(tokens)) throw new InternalError(`step ${row['step']} of ${row['model']}`);
  return {
    ...Object.fromEntries(ICL.map(name => [name, row[name]])),
    model: `${row['model']}@${row['step']}`,
    family: row['family'],
    type: 'decoder',
    study: 'pythia',
    base: `EleutherAI/${row['model']}`,
    params: row['params'],
    tokens: String(tokens),
    flops: text(6 * Number(row['params']) * tokens),
    source: 'EleutherAI/pythia evals/pythia-v1 (Apache-2.0), zero-shot',
    caveats:
      'a checkpoint in mid-training at a learning rate not yet decayed, except at step 143000; parameters count both embeddings',
  };
}

/** `icl` for every in-context score and `beir` for every collection, as far as at least three of the rows have them. */
export function expandGroups(table: Table, names: readonly string[]): string[] {
  const groups: Readonly<Record<string, readonly string[]>> = { icl: ICL, beir: BEIR_15 };
  const filled = (name: string) => {
    const index = table.columns.indexOf(name);
    return table.rows.filter(({ cells }) => cells[index] !== '').length;
  };
  return names.flatMap(name => groups[name]?.filter(member => filled(member) >= 3) ?? [name]);
}
