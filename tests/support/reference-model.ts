/** The model of bench/peers/mpt_golden.py: shapes from a case of it, weights from its formula, so that no golden file need hold them. */
import { graph, models } from 'isoflop';

export interface ReferenceCase {
  readonly name: string;
  readonly d: number;
  readonly heads: number;
  readonly layers: number;
  readonly vocab: number;
  readonly length: number;
  readonly flavour: 'alibi' | 'learned';
  readonly ids: readonly (readonly number[])[];
}

export function referenceConfig(reference: ReferenceCase): models.MptConfig {
  const flavour = reference.flavour === 'alibi' ? models.ALIBI_FLAVOUR : models.LEARNED_FLAVOUR;
  const { d, heads, layers, vocab, length } = reference;
  return models.mptConfig({ dModel: d, heads, layers, vocabSize: vocab, maxLength: length, ...flavour });
}

export function referenceWeights(config: models.MptConfig): Map<string, graph.Tensor> {
  return new Map(
    models.mptParameters(config).map(({ name, shape }, k) => {
      const offset = /norm_(1|2|f)\.weight$/.test(name) ? 1 : 0;
      const values = Array.from(
        { length: graph.elementCount(shape) },
        (_, i) => Math.sin(1 + 3 * k + 0.7 * i) * 0.3 + offset,
      );
      return [name, graph.tensor('float32', shape, values)];
    }),
  );
}
