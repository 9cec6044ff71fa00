/** BEIR result JSON: `{dataset: {"NDCG@10": ...}}`, with the metrics flat or in groups, or one data set's metrics alone. */
import { basename } from 'node:path';
import { InputError } from '../../base/index.ts';
import { inFractions, isRecord, type ModelScores, ndcgIn } from './scores.ts';

/** BEIR's folder names and the MTEB task names that isoflop uses as columns. */
export const BEIR_NAMES: Readonly<Record<string, string>> = {
  arguana: 'ArguAna',
  'climate-fever': 'ClimateFEVER',
  cqadupstack: 'CQADupstackRetrieval',
  'dbpedia-entity': 'DBPedia',
  dbpedia: 'DBPedia',
  fever: 'FEVER',
  fiqa: 'FiQA2018',
  hotpotqa: 'HotpotQA',
  msmarco: 'MSMARCO',
  nfcorpus: 'NFCorpus',
  nq: 'NQ',
  quora: 'QuoraRetrieval',
  scidocs: 'SCIDOCS',
  scifact: 'SciFact',
  'webis-touche2020': 'Touche2020',
  touche2020: 'Touche2020',
  'trec-covid': 'TRECCOVID',
};

function columnOf(dataset: string): string {
  return BEIR_NAMES[dataset.toLowerCase()] ?? dataset;
}

/** nDCG@10 of a metrics object, flat or below a group (`{"ndcg": {"NDCG@10": ...}}`). */
function ndcgOf(value: unknown, where: string): number | undefined {
  const flat = ndcgIn(value, where);
  if (flat !== undefined || !isRecord(value)) return flat;
  return Object.values(value)
    .map(group => ndcgIn(group, where))
    .find(score => score !== undefined);
}

/** The scores of a file: of many data sets, or of the one that the file is named after. `model` is told by the caller. */
export function parseBeirResult(value: unknown, file: string, model: string): ModelScores {
  if (!isRecord(value)) throw new InputError(file, 'is no BEIR result: expected a JSON object');
  const single = ndcgIn(value, file) ?? ndcgIn(value['ndcg'], file);
  const entries: (readonly [string, number])[] =
    single !== undefined
      ? [[columnOf(basename(file, '.json')), single]]
      : Object.entries(value).flatMap(([dataset, metrics]) => {
          const score = ndcgOf(metrics, `${file}: ${dataset}`);
          return score === undefined ? [] : [[columnOf(dataset), score] as const];
        });
  if (entries.length === 0) throw new InputError(file, 'holds no nDCG@10');
  return { model, scores: inFractions(model, new Map(entries)) };
}
