/** Small graphs around every operator, to check its kernel and its gradient on. An operator without a case does not compile. */
import {
  add,
  after,
  apply,
  cast,
  concat,
  constant,
  div,
  equal,
  erf,
  exp,
  expand,
  expandLike,
  type GemmOptions,
  gather,
  gemm,
  greater,
  identity,
  input,
  layerNorm,
  less,
  log,
  loop,
  makeGraph,
  matmul,
  maximum,
  minimum,
  mul,
  neg,
  type OpName,
  range,
  reciprocal,
  reduceLogSumExp,
  reduceMax,
  reduceMean,
  reduceSum,
  reduceSumSquare,
  reshape,
  scalar,
  scalarLike,
  scatterAdd,
  shapeOf,
  slice,
  softmax,
  split,
  sqrt,
  sub,
  tanh,
  tensor,
  topK,
  transpose,
  type Value,
  where,
  zeros,
} from '../../graph/index.ts';

export interface Case {
  /** Shapes of the float inputs. */
  readonly shapes: readonly (readonly number[])[];
  readonly build: (...inputs: Value[]) => Value;
  /** Smallest value of the inputs, for operators that want positive numbers. */
  readonly least?: number;
}

const of = (shapes: Case['shapes'], build: Case['build'], least?: number): Case =>
  least === undefined ? { shapes, build } : { shapes, build, least };
const unary = (f: (x: Value) => Value, least?: number): Case[] => [
  of([[3, 4]], f, least),
  of([[]], f, least),
];
const binary = (f: (a: Value, b: Value) => Value, least?: number): Case[] => [
  of(
    [
      [3, 4],
      [3, 4],
    ],
    f,
    least,
  ),
  of([[2, 3, 4], [4]], f, least),
  of(
    [
      [3, 1],
      [2, 1, 4],
    ],
    f,
    least,
  ),
  of([[3, 4], []], f, least),
];
const gemms = (options: GemmOptions): Case => {
  const [a, b] = [options.transA ? [4, 3] : [3, 4], options.transB ? [5, 4] : [4, 5]];
  return of([a, b], (x, y) => gemm(x!, y!, options));
};
const indices = (...at: number[]): Value => constant(tensor('int64', [at.length], at));
const asFloat = (x: Value, like: Value): Value => cast(x, like.type.dtype);

/** A loop that adds its iteration number, and stacks squares on the way. */
function countingLoop(x: Value): Value {
  const body = (() => {
    const [i, go, carried] = [
      input('i', 'int64', []),
      input('go', 'bool', []),
      input('carried', x.type.dtype, x.type.shape),
    ];
    const next = add(carried!, asFloat(i!, x));
    return makeGraph([i!, go!, carried!], { go: identity(go!), next, squares: mul(next, x) }, [x]);
  })();
  const [last, squares] = loop(scalar('int64', 3), [x], body, 3);
  return add(last!, reduceSum(squares!, [0], false));
}

export const cases: { readonly [Op in OpName]: readonly Case[] } = {
  Add: binary(add),
  Sub: binary(sub),
  Mul: binary(mul),
  Div: binary(div, 0.5),
  Neg: unary(neg),
  Exp: unary(exp),
  Log: unary(log, 0.2),
  Sqrt: unary(sqrt, 0.2),
  Reciprocal: unary(reciprocal, 0.3),
  Erf: unary(erf),
  Tanh: unary(tanh),
  Identity: unary(identity),
  Where: [of([[3, 4], [4], [3, 1]], (a, b, c) => where(greater(a!, scalarLike(a!, 0)), b!, c!))],
  Min: binary(minimum),
  Max: binary(maximum),
  Less: [of([[3, 4], [4]], (a, b) => asFloat(less(a, b), a))],
  Greater: [of([[3, 4], [4]], (a, b) => asFloat(greater(a, b), a))],
  Equal: [of([[3, 4]], a => asFloat(equal(cast(a, 'int64'), scalar('int64', 1)), a))],
  Cast: [of([[3, 4]], a => cast(mul(cast(a, 'float64'), scalar('float64', 2)), a.type.dtype))],
  MatMul: [
    of(
      [
        [3, 4],
        [4, 5],
      ],
      matmul,
    ),
    of(
      [
        [2, 2, 3, 4],
        [2, 2, 4, 5],
      ],
      matmul,
    ),
    of(
      [
        [2, 2, 3, 4],
        [4, 5],
      ],
      matmul,
    ),
    of(
      [
        [2, 1, 3, 4],
        [3, 4, 5],
      ],
      matmul,
    ),
  ],
  Gemm: [
    ...[{}, { transA: 1 }, { transB: 1 }, { transA: 1, transB: 1, alpha: 0.7 }].map(gemms),
    of([[3, 4], [4, 5], [5]], (a, b, c) => gemm(a, b, { alpha: 2, beta: 0.5 }, c)),
    of(
      [
        [3, 4],
        [4, 5],
        [3, 5],
      ],
      (a, b, c) => gemm(a, b, {}, c),
    ),
  ],
  ReduceSum: [
    of([[2, 3, 4]], x => reduceSum(x, [1], true)),
    of([[2, 3, 4]], x => reduceSum(x, [0, -1], false)),
    of([[3]], x => reduceSum(x, [0], false)),
  ],
  ReduceMean: [
    of([[2, 3, 4]], x => reduceMean(x, [-1], true)),
    of([[2, 3, 4]], x => reduceMean(x, [0, 1], false)),
  ],
  ReduceSumSquare: [
    of([[2, 3, 4]], x => reduceSumSquare(x, [0, 1, 2], false)),
    of([[3, 4]], x => reduceSumSquare(x, [1], true)),
  ],
  ReduceMax: [of([[2, 3, 4]], x => reduceMax(x, [-1], true))],
  TopK: [of([[3, 7]], x => topK(x, 4).values), of([[2, 6]], x => asFloat(topK(x, 3).places, x))],
  ReduceLogSumExp: [
    of([[3, 5]], x => reduceLogSumExp(x, [-1], false)),
    of([[2, 3, 4]], x => reduceLogSumExp(x, [2], true)),
  ],
  Softmax: [of([[3, 5]], softmax), of([[2, 2, 3]], softmax)],
  LayerNormalization: [
    of([[3, 6], [6]], (x, w) => layerNorm(x, w)),
    of([[2, 3, 6], [6], [6]], (x, w, b) => layerNorm(x, w, b, 1e-3)),
  ],
  Constant: [of([[2]], x => add(x, cast(constant(tensor('float32', [2], [0.25, -3])), x.type.dtype)))],
  ConstantOfShape: [of([[2, 3]], x => add(x, zeros(x.type.dtype, [2, 3])))],
  Shape: [of([[2, 3]], x => asFloat(shapeOf(x), x))],
  Size: [
    of([[2, 3]], x => asFloat(apply('Size', [x])[0]!, x)),
    of([[2, 3], [4]], (x, other) => after(x, other)),
    of([[2, 3], []], (x, other) => after(x, other)),
  ],
  Range: [of([[2]], x => asFloat(range(scalar('int64', 4), 4), x))],
  Reshape: [of([[2, 6]], x => reshape(x, [3, 4])), of([[2, 3]], x => reshape(x, [6]))],
  Expand: [of([[3, 1]], x => expand(x, [2, 3, 4]))],
  Transpose: [of([[2, 3, 4]], x => transpose(x, [2, 0, 1])), of([[3, 4]], x => transpose(x, [1, 0]))],
  Concat: [
    of(
      [
        [2, 3],
        [2, 1],
      ],
      (a, b) => concat([a, b, a], 1),
    ),
  ],
  Split: [
    of([[2, 6]], x => {
      const [a, b, c] = split(x, 1, [1, 3, 2]);
      return concat([mul(c!, c!), a!, b!], 1);
    }),
    of([[4, 2]], x => split(x, 0, [1, 3])[1]!),
  ],
  Slice: [
    of([[3, 5]], x => slice(x, 1, 1, 4)),
    of([[3, 5]], x => slice(x, 0, 1, Number.POSITIVE_INFINITY)),
    of([[5]], x => slice(x, 0, -3, -1)),
  ],
  Gather: [
    of([[4, 3]], x => gather(x, indices(2, 0, 2))),
    of([[4, 3]], x => gather(x, constant(tensor('int32', [2, 2], [1, 1, 0, 3])))),
    of([[4, 3]], x => gather(x, constant(tensor('int32', [2, 2], [2, 0, 3, 1])))),
  ],
  ScatterND: [
    of(
      [
        [4, 3],
        [3, 3],
      ],
      (x, u) => scatterAdd(x, indices(1, 3, 1), u),
    ),
  ],
  ScatterElements: [
    of(
      [
        [4, 3],
        [3, 3],
      ],
      (x, u) => {
        const places = expandLike(reshape(indices(1, 3, 1), [3, 1]), u);
        return apply('ScatterElements', [x, places, u], { axis: 0, reduction: 'add' })[0]!;
      },
    ),
  ],
  Loop: [of([[2, 3]], countingLoop)],
};
