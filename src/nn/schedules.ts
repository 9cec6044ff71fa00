/** Learning-rate schedules: pure functions from a step, counted from 0, to a factor of the peak learning rate. */

export type Schedule =
  | {
      readonly kind: 'cosine';
      readonly warmupSteps: number;
      readonly totalSteps: number;
      readonly finalFactor: number;
    }
  | {
      readonly kind: 'wsd';
      readonly warmupSteps: number;
      readonly decayStart: number;
      readonly totalSteps: number;
      readonly finalFactor: number;
    }
  | {
      readonly kind: 'linear';
      readonly warmupSteps: number;
      readonly totalSteps: number;
      readonly finalFactor: number;
    }
  | { readonly kind: 'constant'; readonly warmupSteps: number };

/**
 * The factor for a step.
 * `cosine`: composer's cosine_with_warmup: linear from 0 during warm-up, then finalFactor + (1 - finalFactor) (1 + cos(pi x)) / 2 with
 *   x = (t - warmup) / (total - warmup).
 * `wsd`: warm-up, stable at 1, then from `decayStart` on 1 - sqrt(x) down to finalFactor (Haegele et al. 2024, arXiv 2405.18392): one stable
 *   trunk gives models of several token budgets, each by a short decay.
 * `linear`: warm-up, then a straight line to finalFactor.
 */
export function scheduleFactor(schedule: Schedule, step: number): number {
  const { warmupSteps } = schedule;
  if (step < warmupSteps) return step / warmupSteps; // the very first step only fills the moments, as in composer
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'cosine': {
      const x = progress(step, warmupSteps, schedule.totalSteps);
      return schedule.finalFactor + (1 - schedule.finalFactor) * 0.5 * (1 + Math.cos(Math.PI * x));
    }
    case 'linear':
      return 1 + (schedule.finalFactor - 1) * progress(step, warmupSteps, schedule.totalSteps);
    case 'wsd': {
      if (step < schedule.decayStart) return 1;
      const x = progress(step + 1, schedule.decayStart, schedule.totalSteps);
      return 1 + (schedule.finalFactor - 1) * Math.sqrt(x);
    }
  }
}

function progress(step: number, from: number, to: number): number {
  return to <= from ? 1 : Math.min(1, (step - from) / (to - from));
}
