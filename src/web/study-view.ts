/** A study as the dashboard shows it: pure functions from where it stands to markup. */
import { clock, compact } from '../base/index.ts';
import { type Html, html } from '../report/index.ts';
import { failureText, isActive, type RunStatus, type StepStatus, timeLeft } from '../study/index.ts';

/** What a page is made from. */
export interface StudySnapshot {
  readonly status: RunStatus;
  /** The last value of every metric, by step. */
  readonly metrics: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** SVG of the curves so far; undefined before there are any. */
  readonly figure: Html | undefined;
  /** Where the report is served; undefined before there is one. */
  readonly report: string | undefined;
}

const OUTCOMES: Readonly<Record<RunStatus['outcome'], string>> = {
  running: 'running',
  done: 'done',
  failed: 'failed',
  interrupted: 'interrupted: the same command goes on',
  died: 'ended without a word: the same command goes on',
};

/** The inside of a study's page. */
export function studyView(snapshot: StudySnapshot, now: number): Html {
  const { status, metrics, figure, report } = snapshot;
  return html`<h1>${status.study}</h1>
${overview(status, now)}
${report === undefined ? undefined : html`<p><a href="${report}">The report</a></p>`}
${failures(status)}
${activeSteps(status, now)}
${figure === undefined ? undefined : html`<h2>Held-out loss so far</h2><div class="drawing">${figure}</div>`}
${measured(status, metrics)}
${warnings(status)}
${allSteps(status)}`;
}

function overview(status: RunStatus, now: number): Html {
  const { steps, startedAt, finishedAt = now, machine, pid, executor, workers } = status;
  const finished = steps.filter(({ state }) => state === 'made' || state === 'cached').length;
  const left = status.outcome === 'running' ? timeLeftText(status, now) : '';
  const counts = countsText(steps);
  return html`<p class="lead"><span class="state ${status.outcome}">${OUTCOMES[status.outcome]}</span>
${finished} of ${steps.length} steps${left}</p>
<progress max="${steps.length}" value="${finished}" aria-label="steps"></progress>
<p class="note">${counts}. Begun ${new Date(startedAt).toISOString()}, ${clock((finishedAt - startedAt) / 1000)} ${status.outcome === 'running' ? 'ago' : 'in all'};
process ${pid} on ${machine}, ${executor}, ${workers} ${workers === 1 ? 'worker' : 'workers'}.</p>`;
}

function timeLeftText(status: RunStatus, now: number): string {
  const { seconds, unknown } = timeLeft(status, now);
  return `, ${unknown > 0 ? 'more than' : 'about'} ${clock(seconds)} left`;
}

function countsText(steps: readonly StepStatus[]): string {
  const counts = new Map<string, number>();
  for (const { state } of steps) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
}

function activeSteps({ steps }: RunStatus, now: number): Html | undefined {
  const active = steps.filter(isActive);
  if (active.length === 0) return undefined;
  return html`<h2>At work</h2>${active.map(step => activeStep(step, now))}`;
}

function activeStep(step: StepStatus, now: number): Html {
  const { name, state, since, progress, note } = step;
  const elapsed = since === undefined ? '' : clock((now - since) / 1000);
  if (state !== 'running' || progress === undefined)
    return html`<div class="step"><b>${name}</b> <span class="note">${state}${note === undefined ? '' : `: ${note}`} ${elapsed}</span></div>`;
  const { label, total, done, unit, fresh, seconds } = progress;
  const rate = seconds > 0 ? `, ${compact(fresh / seconds)} ${unit}/s` : '';
  const amount =
    total === undefined ? `${compact(done)} ${unit}` : `${compact(done)} of ${compact(total)} ${unit}`;
  return html`<div class="step"><b>${name}</b> <span class="note">${label === name ? '' : `${label}: `}${amount}${rate}, for ${elapsed}. ${progress.note ?? ''}</span>
${total === undefined || total === 0 ? undefined : html`<progress max="${total}" value="${Math.min(done, total)}" aria-label="${name}"></progress>`}</div>`;
}

/** One table a kind of step: its steps that have numbers, with the last of each. */
function measured({ steps }: RunStatus, metrics: StudySnapshot['metrics']): Html | undefined {
  const kinds = [...new Set(steps.map(({ kind }) => kind))];
  const tables = kinds.flatMap(kind => {
    const rows = steps.filter(step => step.kind === kind && metrics.has(step.name));
    return rows.length === 0 ? [] : [metricTable(kind, rows, metrics)];
  });
  return tables.length === 0 ? undefined : html`<h2>Measured so far</h2>${tables}`;
}

function metricTable(kind: string, rows: readonly StepStatus[], metrics: StudySnapshot['metrics']): Html {
  const names = [...new Set(rows.flatMap(({ name }) => Object.keys(metrics.get(name)!)))];
  const cells = ({ name }: StepStatus) =>
    names.map(metric => {
      const value = metrics.get(name)![metric];
      return html`<td class="number">${value === undefined ? '–' : String(Number(value.toPrecision(4)))}</td>`;
    });
  return html`<details id="metrics-${kind}" open><summary>${kind} (${rows.length})</summary>
<div class="scroll"><table><thead><tr><th scope="col">step</th>${names.map(name => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${rows.map(row => html`<tr><th scope="row">${row.name}</th>${cells(row)}</tr>\n`)}</tbody></table></div></details>`;
}

function failures({ steps }: RunStatus): Html | undefined {
  const failed = steps.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return undefined;
  return html`<h2>Failed</h2>${failed.map(({ name, failure }) => html`<div class="step"><b>${name}</b><pre>${failureText(failure!)}</pre></div>`)}`;
}

function warnings({ steps }: RunStatus): Html | undefined {
  const lines = steps.flatMap(({ name, warnings: texts }) => texts.map(text => `${name}: ${text}`));
  if (lines.length === 0) return undefined;
  return html`<h2>Warnings</h2><ul>${lines.map(line => html`<li>${line}</li>`)}</ul>`;
}

function allSteps({ steps }: RunStatus): Html {
  const rows = steps.map(
    ({ name, kind, state, seconds, note }) =>
      html`<tr><th scope="row">${name}</th><td>${kind}</td><td class="${state}">${state}</td><td class="number">${seconds === undefined ? '' : clock(seconds)}</td><td>${state === 'skipped' ? note : ''}</td></tr>\n`,
  );
  return html`<h2>Steps</h2><details id="steps"><summary>All ${steps.length}</summary>
<div class="scroll"><table><thead><tr><th scope="col">step</th><th scope="col">kind</th><th scope="col">state</th><th scope="col" class="number">took</th><th scope="col"></th></tr></thead>
<tbody>${rows}</tbody></table></div></details>`;
}

/** The inside of the page that lists the studies of a store. */
export function storeView(studies: readonly RunStatus[], now: number): Html {
  if (studies.length === 0)
    return html`<h1>isoflop</h1><p>No study has been run with this store yet: <code>isoflop run studies/quick.yaml</code>.</p>`;
  const rows = studies.map(
    status =>
      html`<section><h2><a href="/studies/${status.study}">${status.study}</a></h2>${overview(status, now)}</section>`,
  );
  return html`<h1>Studies</h1>${rows}`;
}
