/** Many result files of several tools, and a table of models, joined into one points table. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError, Problems, readInputJson, unreadable } from '../../base/index.ts';
import { parseBeirResult } from './beir.ts';
import type { Table } from './csv.ts';
import { parametersOfConfig } from './hf-config.ts';
import { parseLmEval } from './lm-eval.ts';
import { parseMtebResult, readMtebFolder } from './mteb.ts';
import { columnIndex, numbersIn } from './points.ts';
import { inFractions, isRecord, type ModelScores, meanOverSet } from './scores.ts';

const MAX_BYTES = 256 << 20;

/** Reads one folder (MTEB) or file (lm-eval, MTEB or BEIR, told apart by what is in it). `model` names a BEIR file's model. */
export async function readResults(path: string, model?: string): Promise<ModelScores> {
  const info = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (info.isDirectory()) return renamed(await readMtebFolder(path), model);
  const json = await readInputJson(path, MAX_BYTES);
  if (isRecord(json) && isRecord(json['results'])) return renamed(parseLmEval(json, path), model);
  if (isRecord(json) && ('task_name' in json || 'mteb_version' in json || 'mteb_dataset_name' in json)) {
    const result = parseMtebResult(json, path);
    if (result === undefined) throw new InputError(path, 'holds no nDCG@10 on the split that BEIR uses');
    const name = model ?? basename(dirname(path)).replace('__', '/');
    return { model: name, scores: inFractions(name, new Map([[result.task, result.score]])) };
  }
  return parseBeirResult(json, path, model ?? basename(dirname(path)));
}

function renamed(scores: ModelScores, model: string | undefined): ModelScores {
  return model === undefined ? scores : { ...scores, model };
}

export interface JoinOptions {
  /** Facts of the models: `model`, and any of `family`, `params`, `tokens`, `flops`, `config` (path of a config.json). */
  readonly models?: Table;
  /** Sets whose mean becomes a column, such as `beir14`; refused where a model lacks a member. */
  readonly means?: readonly string[];
}

/** One row a model, in the order met: `model,family,params,tokens,flops`, then means, then every score. */
export async function joinResults(
  results: readonly ModelScores[],
  { models, means = [] }: JoinOptions,
): Promise<{ columns: string[]; rows: (string | number | null)[][] }> {
  const merged = mergeByModel(results);
  const facts = models === undefined ? new Map<string, ModelFacts>() : await factsOf(models);
  const scores = [...new Set([...merged.values()].flatMap(model => [...model.scores.keys()]))].sort();
  const problems = new Problems();
  const rows = [...merged.values()].map(model => {
    const fact = facts.get(model.model);
    if (models !== undefined && fact === undefined)
      problems.add(models.source, `has no row for '${model.model}'`);
    const params = fact?.params ?? model.params ?? null;
    const flops =
      fact?.flops ?? (params !== null && fact?.tokens !== undefined ? 6 * params * fact.tokens : null);
    return [
      ...[model.model, fact?.family ?? '', params, fact?.tokens ?? null, flops],
      ...means.map(set => meanOverSet(model, set)),
      ...scores.map(name => model.scores.get(name) ?? null),
    ];
  });
  problems.throwIfAny();
  return { columns: ['model', 'family', 'params', 'tokens', 'flops', ...means, ...scores], rows };
}

/** Scores of one model from several files together; a score given twice with different values is refused. */
function mergeByModel(results: readonly ModelScores[]): ReadonlyMap<string, ModelScores> {
  const merged = new Map<string, ModelScores>();
  for (const result of results) {
    const known = merged.get(result.model);
    for (const [name, score] of result.scores) {
      const earlier = known?.scores.get(name);
      if (earlier !== undefined && earlier !== score)
        throw new InputError(
          result.model,
          `has ${name} twice: ${earlier} and ${score}; leave one of the files out`,
        );
    }
    const params = known?.params ?? result.params;
    const scores = new Map([...(known?.scores ?? []), ...result.scores]);
    merged.set(result.model, { model: result.model, scores, ...(params !== undefined && { params }) });
  }
  return merged;
}

interface ModelFacts {
  readonly family: string;
  readonly params: number | undefined;
  readonly tokens: number | undefined;
  readonly flops: number | undefined;
}

/** Reads the model table; a `config` column names config.json files relative to the table, from which parameters are counted. */
async function factsOf(table: Table): Promise<ReadonlyMap<string, ModelFacts>> {
  const problems = new Problems();
  const names = columnIndex(table, 'model');
  const text = (name: string) => (table.columns.includes(name) ? columnIndex(table, name) : undefined);
  const numbers = (name: string) => (table.columns.includes(name) ? numbersIn(table, name, problems) : []);
  const [params, tokens, flops] = ['params', 'tokens', 'flops'].map(numbers) as [
    (number | undefined)[],
    (number | undefined)[],
    (number | undefined)[],
  ];
  const [family, config] = [text('family'), text('config')];
  const facts = new Map<string, ModelFacts>();
  for (const [row, { line, cells }] of table.rows.entries()) {
    const name = cells[names]!.trim();
    if (facts.has(name)) problems.add(`${table.source}:${line}`, `'${name}' stands here for the second time`);
    const path = config === undefined ? '' : cells[config]!.trim();
    const counted = path === '' ? undefined : await parametersOfFile(join(dirname(table.source), path));
    facts.set(name, {
      family: family === undefined ? '' : cells[family]!.trim(),
      params: params[row] ?? counted,
      tokens: tokens[row],
      flops: flops[row],
    });
  }
  problems.throwIfAny();
  return facts;
}

async function parametersOfFile(path: string): Promise<number> {
  return parametersOfConfig(await readInputJson(path, 16 << 20), path);
}
