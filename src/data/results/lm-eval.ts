/** Result files of lm-evaluation-harness, old (`acc`) and new (`acc,none`). */
import { InputError } from '../../base/index.ts';
import { isRecord, type ModelScores } from './scores.ts';

/** Accuracy-like metrics; perplexities are no scores and stay out. */
const METRICS = new Set(['acc', 'acc_norm', 'exact_match', 'em', 'f1', 'mc1', 'mc2', 'pass@1']);

/** The scores of one results file as `task.metric` columns, and as `task` by the harness's usual metric (acc_norm before acc). */
export function parseLmEval(value: unknown, file: string): ModelScores {
  if (!isRecord(value) || !isRecord(value['results']))
    throw new InputError(file, "is no lm-eval result: expected an object with 'results'");
  const scores = new Map<string, number>();
  for (const [task, metrics] of Object.entries(value['results'])) {
    if (!isRecord(metrics)) continue;
    for (const [key, score] of Object.entries(metrics)) {
      const [metric, filter = 'none'] = key.split(',');
      if (!METRICS.has(metric!) || score === 'N/A') continue;
      if (typeof score !== 'number' || !(score >= 0 && score <= 1))
        throw new InputError(file, `${task} ${key} is ${JSON.stringify(score)}, not a score in 0..1`);
      scores.set(`${task}.${metric}${filter === 'none' ? '' : `.${filter}`}`, score);
    }
    const usual = ['acc_norm', 'acc', 'exact_match', 'f1', 'em', 'mc2'].find(metric =>
      scores.has(`${task}.${metric}`),
    );
    if (usual !== undefined) scores.set(task, scores.get(`${task}.${usual}`)!);
  }
  if (scores.size === 0) throw new InputError(file, 'holds no accuracy of any task');
  return { model: modelName(value, file), scores };
}

/** `model_name`, or `pretrained=...` of the model's arguments, with a revision where one was given. */
function modelName(value: Readonly<Record<string, unknown>>, file: string): string {
  const config = isRecord(value['config']) ? value['config'] : {};
  const args = config['model_args'];
  const from = (key: string) => {
    if (isRecord(args)) return typeof args[key] === 'string' ? args[key] : undefined;
    return typeof args === 'string' ? new RegExp(`(?:^|,)${key}=([^,]+)`).exec(args)?.[1] : undefined;
  };
  const name =
    from('pretrained') ?? (typeof value['model_name'] === 'string' ? value['model_name'] : undefined);
  if (name === undefined || name === '')
    throw new InputError(file, "names no model: neither 'model_name' nor pretrained= in config.model_args");
  const revision = from('revision');
  return revision === undefined || revision === 'main' ? name : `${name}@${revision}`;
}
