/** The loss curves of a pretraining run, from its metrics.jsonl: of a finished run, of one that is going on, of one that was killed. */
import { join } from 'node:path';
import { z } from 'zod';
import { eachLine, InputError } from '../base/index.ts';

export interface LossPoint {
  /** Tokens the model has seen. */
  readonly tokens: number;
  readonly lossNats: number;
}

/** One segment of a run: a model from its first token on, a trunk, or a branch of one. */
export interface LossCurve {
  readonly segment: string;
  /** Of every step, on its own batch. */
  readonly train: readonly LossPoint[];
  readonly heldOut: readonly LossPoint[];
}

const line = z.looseObject({ type: z.string() });
const point = z.looseObject({
  type: z.enum(['step', 'heldOut']),
  segment: z.string(),
  tokens: z.number().min(0),
  lossNats: z.number(),
});

/** Curves in the order in which their segments began. A last line that is not whole, as a kill leaves it, does not count. */
export async function readLossCurves(runFolder: string): Promise<LossCurve[]> {
  const path = join(runFolder, 'metrics.jsonl');
  const curves = new Map<string, { train: LossPoint[]; heldOut: LossPoint[] }>();
  let broken: InputError | undefined;
  await eachLine(path, (text, number) => {
    if (broken) throw broken;
    const read = parsePoint(text, `${path}:${number}`);
    if (read instanceof InputError) broken = read;
    else if (read) {
      const curve = curves.get(read.segment) ?? { train: [], heldOut: [] };
      curves.set(read.segment, curve);
      curve[read.type === 'step' ? 'train' : 'heldOut'].push({
        tokens: read.tokens,
        lossNats: read.lossNats,
      });
    }
  });
  if (curves.size === 0)
    throw new InputError(path, 'holds no step of pretraining: name the folder of a run of isoflop pretrain');
  return [...curves].map(([segment, curve]) => ({ segment, ...curve }));
}

/** A point, undefined for lines of other kinds, or what is wrong with the line. */
function parsePoint(text: string, where: string): z.infer<typeof point> | undefined | InputError {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return new InputError(where, 'is not JSON');
  }
  const kind = line.safeParse(json);
  if (kind.success && kind.data.type !== 'step' && kind.data.type !== 'heldOut') return undefined;
  const { data, error } = point.safeParse(json);
  return (
    data ??
    new InputError(
      where,
      error!.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    )
  );
}
