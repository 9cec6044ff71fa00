/** A rung as it is before pretraining: the same beginning that pretraining has, for the untrained reference. */
import { defineStep, one } from '../../study/index.ts';
import { pretrainSettings } from '../../train/index.ts';
import { ARTIFACTS } from '../types.ts';

export const initializeStep = defineStep({
  kind: 'initialize',
  version: 1,
  schema: pretrainSettings.pick({
    model: true,
    sequenceLength: true,
    vocabSize: true,
    seed: true,
    flopsConvention: true,
  }),
  inputs: { tokenizer: one(ARTIFACTS.tokenizer) },
  outputs: () => ({ model: ARTIFACTS.model }),
  estimate: () => ({ seconds: 1 }),
  async run({ params, inputs, output }) {
    const { initialState, modelOf, publishModel, specialTokensOf, weightsOf } = await import(
      '../../train/index.ts'
    );
    const { countParameters } = await import('../../models/index.ts');
    const { Tokenizer } = await import('../../tokenizer/index.ts');
    const tokenizer = await Tokenizer.fromFile(inputs.tokenizer);
    const model = modelOf(params, tokenizer.vocabSize);
    const { total, nonEmbedding } = countParameters(model);
    await publishModel(output('model'), {
      model,
      weights: weightsOf(model, initialState(model, params.seed)),
      tokenizer: { path: inputs.tokenizer, specialTokens: specialTokensOf(tokenizer) },
      facts: {
        tokens: 0,
        flops: 0,
        flopsConvention: params.flopsConvention,
        params: total,
        paramsNonEmbedding: nonEmbedding,
        heldOutLossNats: null,
        heldOutBitsPerByte: null,
        epochs: 0,
        seed: params.seed,
        dataHash: '',
      },
    });
  },
});
