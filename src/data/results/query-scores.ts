/** Per-query scores of several models on the same queries: CSV with `model`, `query`, a score column and, optionally, `dataset`. */
import { InputError, Problems } from '../../base/index.ts';
import type { Table } from './csv.ts';
import { columnIndex, numbersIn, wordsIn } from './points.ts';

/** Has the shape of scaling's `QueryScores`. */
export interface PerQueryScores {
  readonly datasets: readonly string[];
  readonly scores: ReadonlyMap<string, readonly Float64Array[]>;
}

/** Groups the rows; every model must have every query exactly once. */
export function perQueryScores(table: Table, score: string): PerQueryScores {
  const problems = new Problems();
  const values = numbersIn(table, score, problems);
  const [models, queries] = ['model', 'query'].map(name => {
    const index = columnIndex(table, name);
    return table.rows.map(({ cells }) => cells[index]!.trim());
  }) as [string[], string[]];
  const datasets = wordsIn(table, undefined, 'dataset', () => 'all');
  const byModel = new Map<string, Map<string, number>>();
  for (const [row, { line }] of table.rows.entries()) {
    const where = `${table.source}:${line}`;
    const value = values[row];
    if (value === undefined) {
      problems.add(where, `'${score}' is empty`);
      continue;
    }
    const key = JSON.stringify([datasets[row], queries[row]]);
    const own = byModel.get(models[row]!) ?? new Map<string, number>();
    if (own.has(key)) problems.add(where, `'${models[row]}' has query '${queries[row]}' twice`);
    byModel.set(models[row]!, own.set(key, value));
  }
  problems.throwIfAny();
  return align(table.source, byModel);
}

/** Puts all models' queries in one order. */
function align(source: string, byModel: ReadonlyMap<string, ReadonlyMap<string, number>>): PerQueryScores {
  const first = byModel.values().next().value;
  if (first === undefined) throw new InputError(source, 'holds no scores');
  const keys = [...first.keys()].sort();
  const datasetOf = (key: string) => (JSON.parse(key) as [string, string])[0];
  const datasets = [...new Set(keys.map(datasetOf))];
  const problems = new Problems();
  const scores = new Map<string, Float64Array[]>();
  for (const [model, own] of byModel) {
    const missing = keys.filter(key => !own.has(key)).length;
    if (missing > 0 || own.size !== keys.length)
      problems.add(
        source,
        `'${model}' has ${own.size} scores, ${missing} queries of the first model are missing`,
      );
    else
      scores.set(
        model,
        datasets.map(dataset =>
          Float64Array.from(
            keys.filter(key => datasetOf(key) === dataset),
            key => own.get(key)!,
          ),
        ),
      );
  }
  problems.throwIfAny();
  return { datasets, scores };
}
