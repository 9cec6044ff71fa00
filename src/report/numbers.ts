/** How numbers are written in reports: enough digits to compare, never more than were measured. */
import type { CorrelationValue, FitReport } from '../scaling/index.ts';
import type { Estimate, OverlapInfo, StudyFit, StudyResults } from './results.ts';

/** What stands where there is no number. */
export const NONE = '–';

/** A share, a score or a correlation, in three decimals. */
export function scoreText(value: number): string {
  return value.toFixed(3);
}

export function intervalText({ low, high }: { low: number | null; high: number | null }): string {
  return `${low === null ? 'open' : shortNumber(low)} to ${high === null ? 'open' : shortNumber(high)}`;
}

/** `0.412 (0.398 to 0.425)`. */
export function estimateText(estimate: Estimate | null | undefined): string {
  if (!estimate) return NONE;
  return `${scoreText(estimate.value)} (${scoreText(estimate.low)} to ${scoreText(estimate.high)})`;
}

/** Three significant digits; exponents only where they help. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(2);
  return String(Number(value.toPrecision(size >= 100 ? 4 : 3)));
}

/** FLOPs, such as `1.23e+15` without the plus. */
export function flopsText(value: number): string {
  return value === 0 ? '0' : value.toExponential(2).replace('e+', 'e');
}

export function percentText(share: number): string {
  return `${Number((100 * share).toPrecision(4))}%`;
}

/** What the pretraining text must hold of test texts that stand in it: `at least 70% of its word 8-grams`. */
export function overlapThresholdText({ words, share }: OverlapInfo, whose: 'its' | 'their'): string {
  return `at least ${percentText(share)} of ${whose} word ${words}-grams`;
}

/** How many test texts stand in the pretraining text, in a sentence; undefined where the study did not look. */
export function overlapSentence({ overlap }: StudyResults): string | undefined {
  if (!overlap) return undefined;
  const found = overlap.sets.filter(({ standing }) => standing > 0);
  const judged = overlap.sets.reduce((sum, set) => sum + set.judged, 0);
  const threshold = overlapThresholdText(overlap, 'their');
  if (found.length === 0)
    return `None of the ${judged} test texts that were looked for stands in the pretraining text (${threshold}).`;
  const counts = found.map(({ name, judged: of, standing }) => `${standing} of ${of} of ${name}`);
  return `Standing in the pretraining text (${threshold}): ${counts.join('; ')}.`;
}

export function correlationText(found: CorrelationValue | null | undefined): string {
  if (!found) return NONE;
  return found.low === null ? scoreText(found.value) : `${scoreText(found.value)} (${intervalText(found)})`;
}

/** The law of a fit in one sentence, or why there is none. */
export function lawText({ report, reason }: Pick<StudyFit, 'report' | 'reason'>): string {
  if (report === null) return `Not fitted: ${reason ?? 'no reason given'}.`;
  if (report.coefficients === null) return `The ${report.form} law is not identified: ${whyNot(report)}.`;
  const parts = Object.entries(report.coefficients).map(
    ([name, found]) => `${name} ${shortNumber(found.value)} (${intervalText(found)})`,
  );
  return `${report.formula} with ${parts.join(', ')}; ${report.n} points.`;
}

export function whyNot({ warnings }: FitReport): string {
  return (warnings[0] ?? 'no reason given').replace(/^not identified: /, '');
}

/** How far the held-out model was from its prediction, and from what naive baselines said; undefined without a hold-out. */
export function holdoutText({ report }: Pick<StudyFit, 'report'>): string | undefined {
  if (!report?.holdout) return undefined;
  const { model, actual, predicted, low, high, naive, fittedOn } = report.holdout;
  const off = (value: number) => shortNumber(Math.abs(value - actual));
  const line = naive.logLinear === null ? '' : `, a log-linear line by ${off(naive.logLinear)}`;
  return (
    `Held out: ${model}, measured ${scoreText(actual)}, predicted ${scoreText(predicted)} (${intervalText({ low, high })}) ` +
    `from ${fittedOn} others; off by ${off(predicted)}; the last value would be off by ${off(naive.last)}${line}.`
  );
}
