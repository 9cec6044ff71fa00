/** The joint law that planning rests on: a fit file, or the one fitted to the published retrievers that share a recipe. */
import { InputError, readInputJson } from '../base/index.ts';
import { loadPoints, PUBLISHED } from './tables.ts';

const JOINT_FORMS = ['chinchilla', 'contrastive', 'two-step'];

/** Luo et al.'s decoders: one finetuning recipe, so that what differs is the pretraining. */
const DEFAULT = { y: 'beir13', where: ['study=luo2024', 'type=decoder'] };

export interface PlanningLaw {
  readonly model: import('../scaling/index.ts').Model;
  readonly origin: string;
  readonly target: string;
  readonly warnings: readonly string[];
}

export async function loadJointLaw(path: string | undefined): Promise<PlanningLaw> {
  const { fitAll, FIT_DEFAULTS, loadFit } = await import('../scaling/index.ts');
  if (path !== undefined) {
    const { file, model } = loadFit(await readInputJson(path, 64 << 20), path);
    if (!JOINT_FORMS.includes(file.form))
      throw new InputError(
        path,
        `holds a ${file.form} law: planning needs a law in parameters and tokens, such as chinchilla`,
      );
    return { model, origin: path, target: file.target.column, warnings: file.warnings };
  }
  const { model, report } = fitAll(await loadPoints(PUBLISHED, DEFAULT), {
    ...FIT_DEFAULTS,
    form: 'chinchilla',
    holdout: 'none',
    resamples: 0,
    convention: '6nd',
  });
  const caution =
    'this law rests on 11 published decoders of five families finetuned alike; give your own with --fit for a plan to act on';
  return {
    model,
    origin: 'published retrievers (Luo et al. 2024, decoders)',
    target: DEFAULT.y,
    warnings: [caution, ...report.warnings],
  };
}
