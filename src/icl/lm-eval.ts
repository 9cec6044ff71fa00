/** Our results in the form of lm-evaluation-harness, for tools that read that. */
import type { Estimate, IclTaskResult } from './result.ts';
import { taskKey } from './settings.ts';

/** The harness writes this where it has no number. */
const NONE = 'N/A';

/**
 * A results file of lm-eval 0.4. `acc` is by summed log-likelihood and `acc_norm` by bytes, as there; what the Gauntlet calls accuracy stands
 * beside them as `acc_per_token`. A label with several numbers of examples gets one entry each, `arc_challenge_25shot`.
 */
export function lmEvalResults(
  model: string,
  results: readonly IclTaskResult[],
  facts: { readonly version: number; readonly limit: number | null },
): object {
  const labels = results.map(({ label }) => label);
  const named = new Map(
    results.map(result => {
      const alone = labels.indexOf(result.label) === labels.lastIndexOf(result.label);
      return [alone ? result.label : `${result.label}_${result.shots}shot`, result];
    }),
  );
  const each = <T>(value: (result: IclTaskResult) => T) =>
    Object.fromEntries([...named].map(([name, result]) => [name, value(result)]));
  return {
    results: Object.fromEntries(
      [...named].map(([name, result]) => [name, { alias: name, ...metricsOf(result) }]),
    ),
    versions: each(() => facts.version),
    'n-shot': each(({ shots }) => shots),
    'n-samples': each(({ records, items }) => ({ original: records, effective: items })),
    configs: each(result => ({
      task: taskKey(result),
      num_fewshot: result.shots,
      output_type: OUTPUT_TYPES[result.type],
    })),
    config: { model: 'isoflop', model_args: { pretrained: model }, limit: facts.limit },
    model_name: model,
  };
}

const OUTPUT_TYPES: Readonly<Record<IclTaskResult['type'], string>> = {
  language_modeling: 'loglikelihood',
  multiple_choice: 'multiple_choice',
  schema: 'multiple_choice',
  generation_task_with_answers: 'generate_until',
};

function metricsOf(result: IclTaskResult): Record<string, number | string> {
  const metrics: readonly (readonly [string, Estimate | undefined])[] = [
    ['acc', result.accuracy],
    ['acc_norm', result.byteNormalizedAccuracy],
    ['acc_per_token', result.normalizedAccuracy],
    ['exact_match', result.exactMatch],
    ['bits_per_byte', result.bitsPerByte],
  ];
  return Object.fromEntries(
    metrics.flatMap(([name, estimate]) =>
      estimate === undefined
        ? []
        : [
            [`${name},none`, estimate.value],
            [`${name}_stderr,none`, estimate.standardError ?? NONE],
          ],
    ),
  );
}
