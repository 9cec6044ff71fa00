/** Runs, plans and statuses as text for people. Pure: what is drawn where is the caller's business. */
import { alignColumns, clock, compact, progressLine } from '../base/index.ts';
import { isActive, type RunStatus, type StepStatus, timeLeft } from './board.ts';
import type { CleanReport } from './clean.ts';
import type { Failure, StudyEvent } from './events.ts';
import { type InputDigest, shortIdentity } from './fingerprint.ts';
import type { Expectation } from './history.ts';
import type { Plan, PlannedStep, Reason } from './plan.ts';
import type { RunSummary } from './run.ts';
import type { CheckedStep } from './status.ts';

/** Text from steps without what could steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n\t]/gu, '');
}

export function planText(plan: Plan): string {
  const rows = plan.steps.map(step => [
    step.state.padEnd('depends'.length),
    step.name,
    step.kind,
    step.identity === undefined ? '' : shortIdentity(step.identity),
    step.state === 'cached' ? '' : expectationText(step.expected),
  ]);
  const lines = alignColumns(rows).flatMap((line, i) => [line, ...reasonLines(plan.steps[i]!)]);
  return [...lines, '', planTotal(plan)].join('\n');
}

function reasonLines(step: PlannedStep): string[] {
  return step.reasons.map(reason => `         ${reasonText(reason)}`);
}

function planTotal(plan: Plan): string {
  if (plan.toRun === 0) return `${plan.study}: all ${plan.steps.length} steps are cached`;
  const unknown =
    plan.unknownDurations > 0 ? ` and ${counted(plan.unknownDurations, 'step')} of unknown duration` : '';
  const flops = plan.flops > 0 ? `, ${plan.flops.toPrecision(3)} FLOPs` : '';
  const time = `about ${clock(plan.seconds)} on ${counted(plan.workers, 'worker')}${unknown}`;
  return `${plan.study}: ${counted(plan.toRun, 'step')} to run, ${plan.cached} cached${flops}, ${time}`;
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

const BASES = {
  same: 'as before',
  rate: 'from the speed of its kind so far',
  similar: 'as others of its kind',
  estimate: 'estimated',
} as const;

function expectationText({ flops, seconds, basis }: Expectation): string {
  const parts = [];
  if (flops !== undefined) parts.push(`${flops.toPrecision(3)} FLOPs`);
  if (seconds !== undefined && basis !== undefined) parts.push(`${clock(seconds)} (${BASES[basis]})`);
  return parts.join(', ');
}

export function reasonText(reason: Reason): string {
  switch (reason.type) {
    case 'never-ran':
      return 'never ran';
    case 'unfinished':
      return `began and was cut short${reason.resumable ? '; goes on from its last checkpoint' : ''}`;
    case 'running':
      return `is being made by process ${reason.pid} on ${reason.machine}`;
    case 'failed':
      return `failed: ${reason.message}${reason.resumable ? ' (goes on from its last checkpoint)' : ''}`;
    case 'changed':
      return `${reason.path}: ${valueText(reason.old)} -> ${valueText(reason.new)}`;
    case 'upstream':
      return `reads ${reason.steps.join(', ')}, to be made first`;
    case 'missing':
      return 'its artifact is no longer in the store';
    case 'damaged':
      return `its artifact is damaged: ${reason.detail}`;
  }
}

const MAX_VALUE = 60;

function valueText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value) && value.length > 0 && value.every(isDigest))
    return value.map(digest => `${digest.name} ${shortIdentity(digest.sha256)}`).join(', ');
  const text = JSON.stringify(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}...` : text;
}

function isDigest(value: unknown): value is InputDigest {
  return value !== null && typeof value === 'object' && 'sha256' in value && 'name' in value;
}

/** The line an event deserves in a plain log; undefined for those that none is worth. */
export function eventLine(event: StudyEvent): string | undefined {
  switch (event.type) {
    case 'step-started':
      return `${event.step}: started`;
    case 'step-elsewhere':
      return `${event.step}: is being made by process ${event.pid} on ${event.machine}; waiting for it`;
    case 'step-blocked':
      return `${event.step}: held back: ${event.reason}`;
    case 'step-retried':
      return `${event.step}: lost (${event.reason}); tried again`;
    case 'step-finished':
      return `${event.step}: made ${compact(event.bytes)}B${event.seconds === undefined ? '' : ` in ${clock(event.seconds)}`}`;
    case 'step-failed':
      return `${event.step}: failed: ${failureText(event.failure)}`;
    case 'step-interrupted':
      return `${event.step}: interrupted; the next run goes on from its last checkpoint`;
    case 'step-skipped':
      return `${event.step}: skipped, since it needs ${event.because}`;
    case 'report':
      if (event.report.type === 'warning') return `${event.step}: warning: ${event.report.text}`;
      return event.report.type === 'log' ? `${event.step}: ${event.report.text}` : undefined;
    case 'step-cached':
      return `${event.step}: cached`;
    case 'study-started':
    case 'study-finished':
      return undefined;
  }
}

const SHOWN_LOG_LINES = 5;

/** The message, and what the process last printed where it did not say more itself. */
export function failureText(failure: Failure): string {
  const silent = ['exit', 'signal', 'lost', 'unpublished'].includes(failure.reason);
  const tail = silent ? failure.logTail.slice(-SHOWN_LOG_LINES) : [];
  return [failure.message, ...tail.map(line => `  | ${line}`)].join('\n');
}

/** Lines that do not fit on the screen could not be taken back. */
const MAX_SHOWN = 12;

/** The lines that are redrawn while a study runs: one for the whole, one for each running step. */
export function liveLines(status: RunStatus, now: number): string[] {
  const active = status.steps.filter(isActive);
  const shown = active.slice(0, MAX_SHOWN).map(step => `  ${stepLine(step, now)}`);
  const more = active.length - shown.length;
  return [overview(status, now), ...shown, ...(more > 0 ? [`  and ${counted(more, 'step')} more`] : [])];
}

function overview(status: RunStatus, now: number): string {
  const count = (...states: readonly StepStatus['state'][]) =>
    status.steps.filter(step => states.includes(step.state)).length;
  const parts = [`${status.study}  ${count('made', 'cached')}/${status.steps.length} steps`];
  if (count('cached') > 0) parts.push(`${count('cached')} cached`);
  if (count('failed') > 0) parts.push(`${count('failed')} failed`);
  if (status.outcome === 'running') parts.push(timeLeftText(status, now));
  return parts.filter(part => part !== '').join('  ');
}

function timeLeftText(status: RunStatus, now: number): string {
  const { seconds, unknown } = timeLeft(status, now);
  if (unknown === 0) return `about ${clock(seconds)} left`;
  return seconds >= 1 ? `more than ${clock(seconds)} left` : '';
}

function stepLine(step: StepStatus, now: number): string {
  const elapsed = step.since === undefined ? '' : clock((now - step.since) / 1000);
  if (step.state !== 'running') return `${step.name}  ${step.state}: ${step.note ?? ''}`;
  if (!step.progress) return `${step.name}  ${elapsed}`;
  const label = step.progress.label === step.name ? step.name : `${step.name}: ${step.progress.label}`;
  return progressLine({ ...step.progress, label });
}

/** A whole run, step by step. */
export function statusText(status: RunStatus, now: number): string {
  const rows = status.steps.map(step => [step.state, step.name, step.kind, statusDetail(step, now)]);
  const failures = status.steps.flatMap(step => failureLines(step.name, step.failure));
  const warnings = status.steps.flatMap(step => step.warnings.map(text => `warning: ${step.name}: ${text}`));
  return printable(
    [...alignColumns(rows), ...failures, ...warnings, '', statusTotal(status, now)].join('\n'),
  );
}

function statusDetail(step: StepStatus, now: number): string {
  if (isActive(step)) return stepLine(step, now).slice(step.name.length).trimStart();
  const parts = [];
  if (step.seconds !== undefined) parts.push(clock(step.seconds));
  for (const [name, value] of Object.entries(step.metrics)) parts.push(`${name} ${compact(value)}`);
  if (step.note !== undefined && step.state === 'skipped') parts.push(step.note);
  return parts.join('  ');
}

const OUTCOMES = {
  running: 'running',
  done: 'done',
  failed: 'failed',
  interrupted: 'interrupted; the same command goes on',
  died: 'its process ended without a word; the same command goes on',
} as const;

function statusTotal(status: RunStatus, now: number): string {
  const end = status.finishedAt ?? (status.outcome === 'running' ? now : undefined);
  const time = end === undefined ? '' : `, ${clock((end - status.startedAt) / 1000)}`;
  const where = `process ${status.pid} on ${status.machine}`;
  return `${overview(status, now)}: ${OUTCOMES[status.outcome]} (${where}, begun ${new Date(status.startedAt).toISOString()}${time})`;
}

function failureLines(step: string, failure: Failure | undefined): string[] {
  if (!failure) return [];
  const stack = failure.stack === undefined ? [] : failure.stack.split('\n').slice(1);
  const tail = failure.logTail.map(line => `  | ${line}`);
  return ['', `${step} failed: ${failure.message}`, ...stack, ...tail];
}

/** The studies of a store, a line each. */
export function studiesText(statuses: readonly RunStatus[], now: number): string {
  if (statuses.length === 0) return 'no study has been run in this store';
  return statuses.map(status => statusTotal(status, now)).join('\n');
}

/** What is wrong with a study's artifacts. */
export function checkText(checked: readonly CheckedStep[]): string {
  const rows = checked.map(({ state, step, identity, detail }) => [
    state,
    step,
    shortIdentity(identity),
    detail ?? '',
  ]);
  return alignColumns(rows).join('\n');
}

export function cleanText(report: CleanReport, dryRun: boolean): string {
  const rows = report.removed.map(({ type, path, bytes }) => [type, `${compact(bytes)}B`, path]);
  const verb = dryRun ? 'would remove' : 'removed';
  const kept =
    report.keptScratchBytes > 0
      ? `; kept ${compact(report.keptScratchBytes)}B of unfinished steps (--scratch removes them too)`
      : '';
  return [...alignColumns(rows, [1]), `${verb} ${compact(report.bytes)}B${kept}`].join('\n');
}

/** What a run came to: only counts where all went well. */
export function summaryText(summary: RunSummary): string {
  const counts = new Map<string, number>();
  for (const { state } of summary.steps) counts.set(state, (counts.get(state) ?? 0) + 1);
  const told = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  const failed = summary.steps.flatMap(({ name, failure }) =>
    failure ? [`  ${name}: ${failure.message.split('\n')[0]}`] : [],
  );
  return printable([`${summary.study}: ${told}, in ${clock(summary.seconds)}`, ...failed].join('\n'));
}
