/**
 * What to buy with a compute budget: isoFLOP curves and the best N and D under a fitted joint law, what a retriever costs over its
 * life, and the model that reaches a wished score at the least lifetime compute. FLOPs are 6ND for training and 2N a token for inference.
 */
import { InputError } from '../base/index.ts';
import { percentileInterval } from '../stats/index.ts';
import { type Law, valueAt } from './law.ts';

const TRAIN = 6;
const INFER = 2;

/** A joint law with known coefficients: the mathematics of planning needs nothing else. */
export interface JointLaw {
  readonly law: Law;
  readonly theta: Float64Array;
}

/** The law's value at N parameters and D tokens. */
export function jointValue({ law, theta }: JointLaw, params: number, tokens: number): number {
  return valueAt(law, theta, [params, tokens]);
}

/** Is `a` the better value: higher for a score, lower for a loss? */
function isBetter({ law }: JointLaw, a: number, b: number): boolean {
  const rises = law.form === 'two-step' ? true : law.setting.direction === 'rising';
  return rises ? a > b : a < b;
}

export interface Allocation {
  readonly params: number;
  readonly tokens: number;
  readonly flops: number;
  readonly tokensPerParameter: number;
  readonly value: number;
}

function allocationAt(joint: JointLaw, params: number, flops: number): Allocation {
  const tokens = flops / (TRAIN * params);
  return {
    params,
    tokens,
    flops,
    tokensPerParameter: tokens / params,
    value: jointValue(joint, params, tokens),
  };
}

/** The values along one budget: `count` sizes in equal ratios over `decades` decades about the best. */
export function isoflopCurve(joint: JointLaw, flops: number, count = 25, decades = 2): Allocation[] {
  const { params } = optimalAllocation(joint, flops);
  return Array.from({ length: count }, (_, i) =>
    allocationAt(joint, params * 10 ** ((i / (count - 1) - 0.5) * decades), flops),
  );
}

/** Smallest and largest log10 N that are searched. */
const SEARCH: readonly [number, number] = [3, 15];

/** N and D with 6ND = flops at which the law is best; undefined where more of one of them is always better. */
export function findOptimum(joint: JointLaw, flops: number): Allocation | undefined {
  const best = minimise(logN => {
    const { value } = allocationAt(joint, 10 ** logN, flops);
    return isBetter(joint, 1, 0) ? -value : value;
  }, SEARCH);
  return best.atEdge ? undefined : allocationAt(joint, 10 ** best.x, flops);
}

/** The same, refusing a law that has no best split. */
export function optimalAllocation(joint: JointLaw, flops: number): Allocation {
  if (!(flops > 0 && Number.isFinite(flops)))
    throw new InputError('budget', `${flops} FLOPs: expected a number above 0`);
  const found = findOptimum(joint, flops);
  if (found === undefined)
    throw new InputError(
      'law',
      'has no best split of a budget: more of one of N and D is always better under it',
    );
  return found;
}

/** The minimum of a function of one variable: a grid, then golden section around its best point. */
function minimise(
  f: (x: number) => number,
  [from, to]: readonly [number, number],
): { x: number; value: number; atEdge: boolean } {
  const steps = 480;
  const at = (i: number) => from + ((to - from) * i) / steps;
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= steps; i++) {
    const value = f(at(i));
    if (value < least) [best, least] = [i, value];
  }
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [at(Math.max(0, best - 1)), at(Math.min(steps, best + 1))];
  for (let i = 0; i < 80; i++) {
    const [c, d] = [b - ratio * (b - a), a + ratio * (b - a)];
    if (f(c) < f(d)) b = d;
    else a = c;
  }
  const x = (a + b) / 2;
  return { x, value: f(x), atEdge: best === 0 || best === steps };
}

/** What a retriever does in its life. */
export interface Service {
  /** Pairs x epochs x texts a pair x tokens a text: all tokens that finetuning passes through the model. */
  readonly finetuningTokens: number;
  readonly documents: number;
  readonly documentTokens: number;
  /** How often a year the whole corpus is encoded again. */
  readonly reencodings: number;
  readonly years: number;
  /** Queries in all years together. */
  readonly queries: number;
  readonly queryTokens: number;
}

export interface LifetimeCost {
  readonly pretraining: number;
  readonly finetuning: number;
  /** The corpus once. */
  readonly encoding: number;
  readonly reencoding: number;
  readonly queries: number;
  readonly total: number;
}

/** FLOPs over the life of a retriever with N parameters pretrained on D tokens. */
export function lifetimeCost(params: number, tokens: number, service: Service): LifetimeCost {
  const encoding = INFER * params * service.documents * service.documentTokens;
  const parts = {
    pretraining: TRAIN * params * tokens,
    finetuning: TRAIN * params * service.finetuningTokens,
    encoding,
    reencoding: encoding * service.reencodings * service.years,
    queries: INFER * params * service.queries * service.queryTokens,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}

export interface Plan extends Allocation {
  readonly cost: LifetimeCost;
}

/**
 * The N and D that reach `wished` at the least lifetime compute: for each N the least D that reaches it, then the cheapest N.
 * Throws where no size reaches it.
 */
export function cheapestPlan(joint: JointLaw, wished: number, service: Service): Plan {
  const planAt = (logN: number): Plan | undefined => {
    const params = 10 ** logN;
    const tokens = tokensFor(joint, params, wished);
    if (tokens === undefined) return undefined;
    const flops = TRAIN * params * tokens;
    return { ...allocationAt(joint, params, flops), cost: lifetimeCost(params, tokens, service) };
  };
  const best = minimise(logN => Math.log(planAt(logN)?.cost.total ?? Number.POSITIVE_INFINITY), SEARCH);
  const plan = planAt(best.x);
  if (plan === undefined)
    throw new InputError(
      '--wish',
      `${wished} is out of reach under this law: no size attains it with any number of tokens`,
    );
  return plan;
}

const TOKEN_RANGE: readonly [number, number] = [0, 20];

/** The fewest tokens with which N parameters reach the wished value; undefined where 1e20 do not. Bisection on log D. */
function tokensFor(joint: JointLaw, params: number, wished: number): number | undefined {
  const reaches = (logD: number) => !isBetter(joint, wished, jointValue(joint, params, 10 ** logD));
  let [low, high] = TOKEN_RANGE;
  if (!reaches(high)) return undefined;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (reaches(middle)) high = middle;
    else low = middle;
  }
  return 10 ** high;
}

export interface AllocationRange {
  readonly flops: number;
  readonly best: Allocation;
  /** Percentiles over the resamples that have a best split; null where fewer than half of them do. */
  readonly params: { readonly low: number; readonly high: number } | null;
  readonly tokens: { readonly low: number; readonly high: number } | null;
  /** Share of resamples under which the budget has a best split at all. */
  readonly decided: number;
}

/** The best split of a budget, and how far it moves when the models that the law rests on are resampled. */
export function allocationRange(
  joint: JointLaw,
  draws: readonly Float64Array[],
  flops: number,
  level: number,
): AllocationRange {
  const found = draws.flatMap(theta => findOptimum({ law: joint.law, theta }, flops) ?? []);
  const enough = found.length * 2 > draws.length;
  const range = (pick: (a: Allocation) => number) =>
    enough ? percentileInterval(found.map(pick), level) : null;
  return {
    flops,
    best: optimalAllocation(joint, flops),
    params: range(a => a.params),
    tokens: range(a => a.tokens),
    decided: draws.length > 0 ? found.length / draws.length : 0,
  };
}
