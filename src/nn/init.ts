/** Initialisation of parameters, as llm-foundry does it (models/utils/param_init_fns.py). */
import { Rng } from '../base/index.ts';

/** How one tensor starts. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  /** Normal with this standard deviation. */
  | { readonly kind: 'normal'; readonly std: number };

/** kaiming_normal_(a=0, fan_in, relu): std sqrt(2 / fanIn); residual projections are divided by sqrt(2 * layers). */
export function kaimingNormal(fanIn: number, residualLayers?: number): Initializer {
  const std = Math.sqrt(2 / fanIn);
  return { kind: 'normal', std: residualLayers === undefined ? std : std / Math.sqrt(2 * residualLayers) };
}

/** Draws a tensor; each name has a stream of its own, so adding a parameter changes no other. */
export function initialize(
  name: string,
  length: number,
  initializer: Initializer,
  seed: number,
): Float32Array {
  const data = new Float32Array(length);
  if (initializer.kind === 'ones') data.fill(1);
  if (initializer.kind === 'normal') {
    const rng = Rng.from(seed, 'init', name);
    for (let i = 0; i < length; i++) data[i] = rng.normal() * initializer.std;
  }
  return data;
}
