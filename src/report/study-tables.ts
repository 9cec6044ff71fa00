/** The tables of a study, each for two readers: text with links for people, and raw numbers for programs. */
import { conventionText, sizeText } from './axes.ts';
import { scoreOf } from './marks.ts';
import {
  flopsText,
  intervalText,
  NONE,
  overlapThresholdText,
  scoreText,
  shortNumber,
  whyNot,
} from './numbers.ts';
import type { CheckpointResult, RetrievalScores, StudyFit, StudyResults } from './results.ts';
import { type Field, fieldsOf, type StudyTable, tableOf } from './table-fields.ts';

type Group = keyof NonNullable<CheckpointResult['sources']>;

/** The steps behind a checkpoint's numbers. */
function madeBy(groups: readonly Group[]): Field<CheckpointResult> {
  return row.madeBy(`steps_${groups.at(-1)}`, ({ sources }) => [
    ...new Set(groups.flatMap(group => sources?.[group] ?? [])),
  ]);
}

/** A name as a part of a CSV column's name. */
function slug(name: string): string {
  return name.replace(/[^\w.-]+/g, '_');
}

const row = fieldsOf<CheckpointResult>();
const MODEL = row.words('checkpoint', 'model', ({ name }) => name);

/** An untrained rung has no tokens and no FLOPs in files: their logarithm is what fits take. */
const aboveZero = (value: number | undefined) => (value === undefined || value <= 0 ? null : value);

function checkpointTable({ conventions, checkpoints }: StudyResults): StudyTable {
  const [first] = conventions;
  const flopsField = (convention: string) =>
    row.figure(
      `FLOPs (${conventionText(convention)})`,
      convention === first ? 'flops' : `flops_${slug(convention)}`,
      ({ flops }) => aboveZero(Object.hasOwn(flops, convention) ? flops[convention] : undefined),
      flopsText,
    );
  return tableOf(
    {
      id: 'checkpoints',
      title: 'Checkpoints',
      note: 'Tokens, passes over the text, compute and held-out loss of pretraining; nDCG@10 as the mean over the collections that count in it; in-context learning as the mean over all tasks, accuracy with chance at 0 and perfection at 1.',
    },
    [
      MODEL,
      row.words('rung', 'family', ({ rung }) => rung),
      row.figure('parameters', 'params', ({ params }) => params, sizeText),
      row.figure('tokens', 'tokens', ({ tokens }) => aboveZero(tokens), sizeText),
      ...conventions.map(flopsField),
      row.figure(
        'without embeddings',
        'params_non_embedding',
        ({ paramsNonEmbedding }) => paramsNonEmbedding,
        sizeText,
      ),
      row.figure('epochs', 'epochs', ({ epochs }) => epochs, shortNumber),
      row.figure(
        'held-out loss (nats/token)',
        'held_out_loss',
        ({ heldOut }) => heldOut?.lossNats,
        value => value.toFixed(4),
      ),
      row.figure(
        'held-out bits/byte',
        'held_out_bits_per_byte',
        ({ heldOut }) => heldOut?.bitsPerByte,
        value => value.toFixed(4),
      ),
      row.estimated('nDCG@10, finetuned', 'ndcg_at_10', ({ finetuned }) => finetuned?.mean),
      row.estimated('nDCG@10, zero-shot', 'zero_shot_ndcg_at_10', ({ zeroShot }) => zeroShot?.mean),
      row.estimated('ICL accuracy above chance', 'icl_accuracy', ({ iclMean }) => iclMean?.accuracy),
      row.estimated('ICL bits/byte', 'icl_bits_per_byte', ({ iclMean }) => iclMean?.bitsPerByte),
      madeBy(['pretraining']),
    ],
    checkpoints,
  );
}

function retrievalTable({ collections, checkpoints }: StudyResults): StudyTable {
  const field = (
    label: string,
    prefix: string,
    scores: (checkpoint: CheckpointResult) => RetrievalScores | null,
    name: string,
  ) => row.estimated(label, `${prefix}_${slug(name)}`, checkpoint => scoreOf(scores(checkpoint), name));
  const zeroShot = checkpoints.some(({ zeroShot }) => zeroShot !== null);
  return tableOf(
    { id: 'retrieval', title: 'nDCG@10 by collection' },
    [
      MODEL,
      ...collections.flatMap(({ name, title }) => [
        field(`${title}, finetuned`, 'ndcg_at_10', checkpoint => checkpoint.finetuned, name),
        ...(zeroShot
          ? [field(`${title}, zero-shot`, 'zero_shot_ndcg_at_10', checkpoint => checkpoint.zeroShot, name)]
          : []),
      ]),
      madeBy(['zeroShot', 'finetuned']),
    ],
    checkpoints,
  );
}

function iclTable({ tasks, checkpoints }: StudyResults): StudyTable | undefined {
  if (tasks.length === 0) return undefined;
  const score = ({ icl }: CheckpointResult, name: string) =>
    Object.hasOwn(icl, name) ? icl[name] : undefined;
  return tableOf(
    {
      id: 'icl',
      title: 'In-context learning by task',
      note: tasks
        .map(
          ({ name, type, shots, items, chance }) =>
            `${name}: ${type}, ${shots} shots, ${items} items, chance ${scoreText(chance)}`,
        )
        .join('; '),
    },
    [
      MODEL,
      ...tasks.flatMap(({ name }) => [
        row.estimated(
          `${name}, accuracy`,
          `icl_${slug(name)}_accuracy`,
          checkpoint => score(checkpoint, name)?.accuracy,
        ),
        row.estimated(
          `${name}, bits/byte`,
          `icl_${slug(name)}_bits_per_byte`,
          checkpoint => score(checkpoint, name)?.bitsPerByte,
        ),
      ]),
      madeBy(['icl']),
    ],
    checkpoints,
  );
}

function referenceTable({ references, collections }: StudyResults): StudyTable {
  type Row = StudyResults['references'][number];
  const field = fieldsOf<Row>();
  return tableOf<Row>(
    { id: 'references', title: 'Reference systems' },
    [
      field.words('system', 'system', ({ name }) => name),
      field.estimated('mean nDCG@10', 'ndcg_at_10', ({ scores }) => scores.mean),
      ...collections.map(({ name, title }) =>
        field.estimated(title, `ndcg_at_10_${slug(name)}`, ({ scores }) => scoreOf(scores, name)),
      ),
      field.madeBy('steps', ({ sources = [] }) => sources),
    ],
    references,
  );
}

function collectionTable({ collections }: StudyResults): StudyTable {
  type Row = StudyResults['collections'][number];
  const field = fieldsOf<Row>();
  return tableOf<Row>(
    { id: 'collections', title: 'Test collections' },
    [
      field.words('collection', 'title', ({ title }) => title),
      field.words('name', 'collection', ({ name }) => name),
      field.words('split', 'split', ({ split }) => split),
      field.figure('documents', 'documents', ({ documents }) => documents, String),
      field.figure('judged queries', 'queries', ({ queries }) => queries, String),
      field.words('in the mean', 'in_mean', ({ inMean }) => (inMean ? 'yes' : 'no')),
    ],
    collections,
  );
}

function coefficientsText({ report }: StudyFit): string {
  if (!report?.coefficients) return NONE;
  return Object.entries(report.coefficients)
    .map(([name, found]) => `${name} ${shortNumber(found.value)} (${intervalText(found)})`)
    .join('; ');
}

function fitState({ report, reason }: StudyFit): string {
  if (report === null) return `not fitted: ${reason ?? 'no reason given'}`;
  return report.coefficients === null ? `not identified: ${whyNot(report)}` : 'identified';
}

/** Of the row with the most compute among those held out. */
const holdout = ({ report }: StudyFit) => report?.holdout ?? null;
const errorOf =
  (pick: (held: NonNullable<ReturnType<typeof holdout>>) => number | null) => (fit: StudyFit) => {
    const held = holdout(fit);
    const guess = held && pick(held);
    return held === null || guess === null ? null : Math.abs(guess - held.actual);
  };

function fitTable({ fits }: StudyResults): StudyTable {
  const field = fieldsOf<StudyFit>();
  return tableOf<StudyFit>(
    {
      id: 'fits',
      title: 'Fitted laws',
      note: 'Hold-out: the model with the most compute among those left out. Errors are absolute. A law is worth something where its error is below those of the last value and of a straight line in log compute.',
    },
    [
      field.words('target', 'target', ({ target }) => target),
      field.words('FLOPs', 'flops_convention', ({ convention }) => conventionText(convention)),
      field.words('form', 'form', ({ report }) => report?.form ?? NONE),
      field.words('law', 'formula', ({ report }) => report?.formula ?? NONE),
      field.words('state', 'state', fitState),
      field.words('coefficients', 'coefficients', coefficientsText),
      field.figure('points', 'points', ({ report }) => report?.n, String),
      field.figure('scatter', 'scatter', ({ report }) => report?.noise, shortNumber),
      field.words('held out', 'held_out', fit => holdout(fit)?.model ?? NONE),
      field.figure('measured', 'actual', fit => holdout(fit)?.actual, shortNumber),
      field.bounded(
        'predicted',
        'predicted',
        fit => {
          const held = holdout(fit);
          return held && { value: held.predicted, low: held.low, high: held.high, bootstrap: null };
        },
        found => `${shortNumber(found.value)} (${intervalText(found)})`,
      ),
      field.figure(
        'error',
        'error',
        errorOf(held => held.predicted),
        shortNumber,
      ),
      field.figure(
        'last value',
        'error_last_value',
        errorOf(held => held.naive.last),
        shortNumber,
      ),
      field.figure(
        'log-linear',
        'error_log_linear',
        errorOf(held => held.naive.logLinear),
        shortNumber,
      ),
      field.words('warnings', 'warnings', ({ report }) => report?.warnings.join('; ') ?? ''),
    ],
    fits,
  );
}

function correlationTable({ correlations }: StudyResults): StudyTable {
  type Row = StudyResults['correlations'][number];
  const field = fieldsOf<Row>();
  return tableOf<Row>(
    {
      id: 'correlations',
      title: 'Correlations',
      note: 'With Fisher intervals, which count the checkpoints as independent. Where compute is taken out, what remains is not merely that both grow with it.',
    },
    [
      field.words('of', 'x', ({ x }) => x),
      field.words('with', 'y', ({ y }) => y),
      field.figure('checkpoints', 'n', ({ n }) => n, String),
      field.correlated('Pearson', 'pearson', ({ pearson }) => pearson),
      field.correlated('Spearman', 'spearman', ({ spearman }) => spearman),
      field.correlated('Kendall', 'kendall', ({ kendall }) => kendall),
      field.words('taken out', 'given', ({ partial }) => partial?.given ?? NONE),
      field.correlated('Pearson, partial', 'partial_pearson', ({ partial }) => partial?.pearson),
      field.correlated('Spearman, partial', 'partial_spearman', ({ partial }) => partial?.spearman),
      field.correlated('Kendall, partial', 'partial_kendall', ({ partial }) => partial?.kendall),
    ],
    correlations,
  );
}

function trendTable({ trends }: StudyResults): StudyTable {
  type Row = StudyResults['trends'][number];
  const field = fieldsOf<Row>();
  return tableOf<Row>(
    {
      id: 'trends',
      title: 'Trend',
      note: 'Rank correlation of FLOPs with mean nDCG@10 over the pretrained checkpoints.',
    },
    [
      field.words('FLOPs', 'flops_convention', ({ convention }) => conventionText(convention)),
      field.figure('checkpoints', 'n', ({ n }) => n, String),
      field.estimated('Spearman', 'spearman', ({ spearman }) => spearman),
    ],
    trends,
  );
}

function overlapTable({ overlap }: StudyResults): StudyTable | undefined {
  if (!overlap) return undefined;
  type Row = (typeof overlap.sets)[number];
  const field = fieldsOf<Row>();
  const { sampled } = overlap;
  const sample = sampled < 1 ? `, of which 1 in ${1 / sampled} was looked at` : '';
  return tableOf<Row>(
    {
      id: 'overlap',
      title: 'Test texts in the pretraining text',
      note: `A text stands in the pretraining text if ${overlapThresholdText(overlap, 'its')}${sample} do, anywhere. Texts of fewer words are not judged.`,
    },
    [
      field.words('test set', 'set', ({ name }) => name),
      field.figure('texts', 'texts', ({ texts }) => texts, String),
      field.figure('judged', 'judged', ({ judged }) => judged, String),
      field.figure('share some n-gram', 'touched', ({ touched }) => touched, String),
      field.figure('stand in it', 'standing', ({ standing }) => standing, String),
      field.words('such as', 'examples', ({ examples }) => examples.join(', ') || NONE),
    ],
    overlap.sets,
  );
}

/** Every table that has rows. */
export function studyTables(results: StudyResults): StudyTable[] {
  const tables = [
    checkpointTable(results),
    retrievalTable(results),
    iclTable(results),
    referenceTable(results),
    fitTable(results),
    trendTable(results),
    correlationTable(results),
    collectionTable(results),
    overlapTable(results),
  ];
  return tables.filter((table): table is StudyTable => table !== undefined && table.rows.length > 0);
}

/** One row a checkpoint with everything that is known of it: what `isoflop fit` and `isoflop correlate` read. */
export function pointsTable(results: StudyResults): StudyTable {
  const parts = [checkpointTable(results), retrievalTable(results), iclTable(results)].filter(
    part => part !== undefined,
  );
  const [first, ...rest] = parts;
  return {
    ...first!,
    id: 'points',
    columns: [...first!.columns, ...rest.flatMap(part => part.columns.slice(1))],
    rows: first!.rows.map((row, i) => [...row, ...rest.flatMap(part => part.rows[i]!.slice(1))]),
  };
}
