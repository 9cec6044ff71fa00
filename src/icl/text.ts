/** Results for people. */
import { textTable } from '../base/index.ts';
import { type Estimate, gauntletAccuracy } from './result.ts';
import type { IclResultsFile } from './run.ts';
import { taskKey } from './settings.ts';

/** A table of tasks, then of the gauntlet. Accuracy is the Gauntlet's; `±` is one standard error. */
export function iclText({ tasks, gauntlet, missingTasks, settings }: IclResultsFile): string {
  const rows = tasks.map(task => [
    taskKey(task),
    String(task.items),
    ...withError(gauntletAccuracy(task)),
    task.chance.toFixed(3),
    ...withError(task.bitsPerByte),
    notes(task.trimmedItems, task.cutItems),
  ]);
  const header = ['task', 'items', 'accuracy', '±', 'chance', 'bits/byte', '±', 'did not fit whole'];
  const parts = [textTable(header, rows)];
  if (gauntlet) {
    const scores = [
      ...gauntlet.categories.map(({ name, score }) => [name, ...withError(score)]),
      ...Object.entries(gauntlet.averages).map(([name, score]) => [name, ...withError(score)]),
    ];
    parts.push(
      textTable([gauntlet.reduced === null ? 'gauntlet' : 'reduced gauntlet', 'score', '±'], scores),
    );
    if (gauntlet.missing.length > 0)
      parts.push(`benchmarks without a result: ${gauntlet.missing.join(', ')}\n`);
  }
  if (missingTasks.length > 0) parts.push(`tasks without records: ${missingTasks.join(', ')}\n`);
  parts.push(`prompts: ${settings.style}, ${settings.contextTokens} tokens\n`);
  return parts.join('\n');
}

function withError({ value, standardError }: Estimate): [string, string] {
  return [value.toFixed(3), standardError === null ? '' : standardError.toFixed(3)];
}

function notes(trimmed: number, cut: number): string {
  return [trimmed > 0 ? `${trimmed} prompts` : '', cut > 0 ? `${cut} answers` : '']
    .filter(Boolean)
    .join(', ');
}
