/**
 * What a pretraining run does, decided before it begins: one or more token budgets become segments of steps.
 * With a cosine every budget is a run of its own. With warm-up-stable-decay one trunk at a constant rate serves all budgets: each
 * branches off for a short decay, so a ladder of durations costs little more than its longest.
 */
import { InputError } from '../base/index.ts';
import { type Schedule, scheduleFactor } from '../nn/index.ts';
import type { StepRange } from './resumable.ts';

export interface BudgetOptions {
  /** Tokens of each model to be made. */
  readonly budgets: readonly number[];
  readonly tokensPerStep: number;
  readonly warmupTokens: number;
  readonly schedule:
    | { readonly kind: 'cosine'; readonly finalFactor: number }
    | { readonly kind: 'wsd'; readonly decayShare: number; readonly finalFactor: number };
}

/** Steps of one schedule. */
export interface Segment extends StepRange {
  readonly schedule: Schedule;
  /** The model this segment ends in is one of the results: its tokens. Undefined for pieces of the trunk. */
  readonly budget: number | undefined;
}

export function planSegments(options: BudgetOptions): Segment[] {
  const { budgets, tokensPerStep, warmupTokens, schedule } = options;
  const steps = [...new Set(budgets.map(tokens => Math.round(tokens / tokensPerStep)))].sort((a, b) => a - b);
  if (steps.length === 0) throw new InputError('budgets', 'no token budget given');
  if (steps[0]! < 1)
    throw new InputError('budgets', `${budgets[0]} tokens are less than one step of ${tokensPerStep} tokens`);
  const warmupSteps = Math.round(warmupTokens / tokensPerStep);
  if (warmupSteps >= steps[0]!)
    throw new InputError(
      'warmupTokens',
      `${warmupTokens} tokens of warm-up leave nothing of a budget of ${steps[0]! * tokensPerStep}`,
    );
  if (schedule.kind === 'cosine')
    return steps.map(total => cosineSegment(total, warmupSteps, schedule.finalFactor, tokensPerStep));
  return trunkAndBranches(steps, warmupSteps, schedule.decayShare, schedule.finalFactor, tokensPerStep);
}

/** `2.5M`-like names would round; the exact count cannot clash. */
export const segmentName = (tokens: number): string => `tokens-${tokens}`;

function cosineSegment(
  total: number,
  warmupSteps: number,
  finalFactor: number,
  tokensPerStep: number,
): Segment {
  const budget = total * tokensPerStep;
  const schedule: Schedule = { kind: 'cosine', warmupSteps, totalSteps: total, finalFactor };
  return {
    name: segmentName(budget),
    after: undefined,
    from: 0,
    to: total,
    schedule,
    budget,
    isTrunk: false,
  };
}

function trunkAndBranches(
  steps: readonly number[],
  warmupSteps: number,
  decayShare: number,
  finalFactor: number,
  tokensPerStep: number,
): Segment[] {
  const segments: Segment[] = [];
  let trunk: Segment | undefined;
  for (const total of steps) {
    const start = Math.max(warmupSteps, total - Math.max(1, Math.round(decayShare * total)));
    const from = trunk?.to ?? 0;
    if (start > from) {
      const name = `trunk-${start * tokensPerStep}`;
      trunk = {
        name,
        after: trunk?.name,
        from,
        to: start,
        schedule: { kind: 'constant', warmupSteps },
        budget: undefined,
        isTrunk: true,
      };
      segments.push(trunk);
    }
    const schedule: Schedule = {
      kind: 'wsd',
      warmupSteps,
      decayStart: start,
      totalSteps: total,
      finalFactor,
    };
    const budget = total * tokensPerStep;
    segments.push({
      name: segmentName(budget),
      after: trunk?.name,
      from: start,
      to: total,
      schedule,
      budget,
      isTrunk: false,
    });
  }
  return segments;
}

export function learningRateAt(segment: Segment, peak: number, step: number): number {
  return peak * scheduleFactor(segment.schedule, step);
}
