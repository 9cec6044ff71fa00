/** FLOPs conventions against the graphs that are emitted: where a convention is exact, the count must be equal, not near. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { graph, models, nn, train } from 'isoflop';

const { backward, countFlops, input, makeGraph, optimize, reshape, slice, verify } = graph;
const { executedFlopsPerToken, flopsPerToken, mptConfig, mptHidden, parameterInputs, TOKEN_EMBEDDING } =
  models;

/** Forward and backward of one micro-step, as `train` builds it. */
function trainingGraph(
  config: models.MptConfig,
  batch: number,
  causalBlocks: number,
  pieces: number,
): graph.Graph {
  const length = config.maxLength;
  const weights = parameterInputs(config);
  const ids = input('ids', 'int32', [batch, length + 1]);
  const tokens = batch * length;
  const hidden = mptHidden(config, weights, slice(ids, 1, 0, length), { tokens, causalBlocks });
  const table = weights.get(TOKEN_EMBEDDING)!;
  const targets = reshape(slice(ids, 1, 1, length + 1), [tokens]);
  const head = nn.crossEntropyWithGradients(hidden, table, targets, pieces);
  const wrt = [...weights.values()];
  const gradients = backward([hidden, table], [head.hiddenGradient, head.tableGradient], wrt);
  const outputs = Object.fromEntries(gradients.map((gradient, i) => [`g${i}`, gradient]));
  return makeGraph([...wrt, ids], { loss: head.lossSum, ...outputs });
}

const shapes = [
  { dModel: 16, heads: 4, layers: 2, vocabSize: 37, maxLength: 12 },
  { dModel: 24, heads: 3, layers: 3, vocabSize: 50, maxLength: 8 },
  { dModel: 32, heads: 2, layers: 1, vocabSize: 100, maxLength: 16, expansion: 2 },
];

for (const flavour of [models.ALIBI_FLAVOUR, models.LEARNED_FLAVOUR]) {
  for (const shape of shapes) {
    const config = mptConfig({ ...shape, ...flavour });
    const name = `${flavour.positions}, width ${shape.dModel}, ${shape.layers} layers`;

    test(`${name}: the products of the emitted graph are the closed form, exactly`, () => {
      for (const [batch, blocks, pieces] of [
        [1, 1, 1],
        [2, 1, 2],
        [2, 2, 1],
        [3, 4, 4],
      ] as const) {
        const emitted = trainingGraph(config, batch, blocks, pieces);
        const tokens = batch * config.maxLength;
        assert.equal(countFlops(emitted).products, tokens * executedFlopsPerToken(config, blocks));
        assert.equal(countFlops(optimize(emitted)).products, tokens * executedFlopsPerToken(config, blocks));
      }
    });

    test(`${name}: chinchilla counts the layers' products and the softmax, palm the head's too and whatever is no matrix`, () => {
      const { dModel: d, layers: L, heads: H, maxLength: T, vocabSize: V } = config;
      const counted = countFlops(trainingGraph(config, 2, 1, 1)).products / (2 * T);
      assert.equal(flopsPerToken(config, 'chinchilla') - 9 * L * H * T, counted - 6 * V * d);
      const vectors = models.mptParameters(config).filter(({ shape }) => shape.length === 1);
      const added = vectors.reduce(
        (sum, { shape }) => sum + shape[0]!,
        flavour.positions === 'learned' ? T * d : 0,
      );
      assert.equal(flopsPerToken(config, 'palm') - 6 * added, counted);
    });
  }
}

test('a whole pretraining step, with its loops over micro-steps and pieces of the loss, counts the same', () => {
  const config = mptConfig({ dModel: 16, heads: 2, layers: 2, vocabSize: 2048, maxLength: 64 });
  const [batch, accumulation] = [128, 3]; // 8,192 tokens of 2,048 logits: the loss comes in two pieces
  assert.equal(train.lossPieces(batch * config.maxLength, config.vocabSize), 2);
  const whole = train.pretrainGraph(config, {
    ...{ batch, length: config.maxLength, accumulation, maxGradNorm: 1, adamW: nn.LADDER_ADAMW },
  });
  const tokens = accumulation * batch * config.maxLength;
  const step = verify(whole).nodes.find(node => node.op === 'Loop')!.attributes['body'] as graph.Graph;
  assert.equal(countFlops(step).products, tokens * executedFlopsPerToken(config));
});
