/** Evaluation of files: what `isoflop eval` does. */
import { InputError } from '../base/index.ts';
import { type RunOptions, readQrelsFile, readRun } from '../data/index.ts';
import { type EvaluateOptions, evaluate } from './evaluate.ts';
import { DEFAULT_MEASURES, parseMeasures } from './measures.ts';
import { type CompareOptions, type Comparison, compareRuns, type Summary, summarise } from './report.ts';

export interface FileOptions extends CompareOptions, RunOptions {
  /** In any spelling; the default ones if undefined. */
  readonly measures?: readonly string[] | undefined;
  readonly missing: NonNullable<EvaluateOptions['missing']>;
  readonly removeSelf?: boolean | undefined;
  readonly ties: 'expected' | 'none';
  readonly perQuery?: boolean | undefined;
}

export interface FileEvaluation {
  readonly summaries: readonly Summary[];
  /** Between every two runs; empty for one run. */
  readonly comparisons: readonly Comparison[];
  readonly warnings: readonly string[];
}

/** Scores run files against a qrels file and, if there are several, compares them. Runs are read one after the other. */
export async function evaluateFiles(
  qrelsPath: string,
  runPaths: readonly string[],
  options: FileOptions,
): Promise<FileEvaluation> {
  const measures = options.measures ? parseMeasures(options.measures) : DEFAULT_MEASURES;
  if (new Set(runPaths).size < runPaths.length)
    throw new InputError(runPaths.join(' '), 'a run is named twice: name each once');
  const qrels = await readQrelsFile(qrelsPath);
  const settings: EvaluateOptions = {
    missing: options.missing,
    removeSelf: options.removeSelf,
    ties: options.ties === 'expected',
  };
  const warnings: string[] = [];
  const evaluations = [];
  for (const path of runPaths) {
    const file = await readRun(path, options);
    warnings.push(...file.warnings);
    evaluations.push(evaluate(qrels, file.run, measures, settings));
  }
  return {
    summaries: evaluations.map(evaluation => summarise(evaluation, options, options.perQuery === true)),
    comparisons: evaluations.length > 1 ? compareRuns(evaluations, options) : [],
    warnings,
  };
}
