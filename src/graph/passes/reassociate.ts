/**
 * Uses the algebra of matrix products to spare passes over large tensors:
 * - the transpose of a product is the product of the transposes in reverse order, which the engine reads as they lie;
 * - sum over j of (x w')_ij y_ij = sum over k of x_ik (y w)_ik, where y w is computed anyway: in the softmax's backward pass this replaces
 *   a sum over the T x T scores by one over the T x d outputs (the delta of FlashAttention);
 * - g a + g b = g (a + b), where nobody else needs the two products: the gradient of x f(x) is of this kind.
 */
import { add, matmul, mul, reduceSum, transposeLast } from '../build.ts';
import { verify } from '../graph.ts';
import { attribute, constantNumbers } from '../rule.ts';
import { type Graph, type Node, normalAxis, sameShape, type Value } from '../types.ts';
import { isTransposeLast, type Rewrite, rebuild, remake, valuesUsedOnce } from './rebuild.ts';

export function reassociate(graph: Graph): Graph {
  return verify(rebuild(graph, reassociateScope));
}

/** Products by their operands: first operand -> second operand -> product. */
type Products = Map<Value, Map<Value, Value>>;

function reassociateScope(scope: Graph): Rewrite {
  const products: Products = new Map();
  const usedOnce = valuesUsedOnce(scope);
  return (node, inputs, attributes) => {
    const outputs =
      (usedOnce.has(node.inputs[0]!) ? transposedProduct(node, inputs) : undefined) ?? // else it would be computed twice
      sumOfProduct(node, inputs, products) ??
      commonFactor(node, inputs, usedOnce) ??
      remake(node, inputs, attributes);
    if (node.op === 'MatMul') remember(products, inputs as readonly [Value, Value], outputs[0]!);
    return outputs;
  };
}

function remember(products: Products, [a, b]: readonly [Value, Value], product: Value): void {
  const bySecond = products.get(a) ?? new Map<Value, Value>();
  products.set(a, bySecond.set(b, product));
}

/** The value whose last two axes were swapped to make this one; or this one, swapped. */
const untransposed = (value: Value): Value =>
  isTransposeLast(value) ? value.producer!.inputs[0]! : transposeLast(value);

function transposedProduct(node: Node, inputs: readonly Value[]): readonly Value[] | undefined {
  const product = inputs[0]?.producer;
  if (product?.op !== 'MatMul' || node.outputs.length !== 1 || !isTransposeLast(node.outputs[0]!))
    return undefined;
  const [a, b] = product.inputs as [Value, Value];
  return a.type.shape.length === b.type.shape.length ? [matmul(untransposed(b), untransposed(a))] : undefined;
}

function sumOfProduct(
  node: Node,
  [x, axes]: readonly Value[],
  products: Products,
): readonly Value[] | undefined {
  const factors = x?.producer;
  if (node.op !== 'ReduceSum' || factors?.op !== 'Mul' || !axes) return undefined;
  const rank = x!.type.shape.length;
  const [axis, ...others] = constantNumbers(node.op, axes, 'axes');
  if (others.length > 0 || normalAxis(axis!, rank) !== rank - 1) return undefined;
  const [p, q] = factors.inputs as [Value, Value];
  const small = replacement(p, q, products) ?? replacement(q, p, products);
  return small && [reduceSum(small, [rank - 1], attribute(node, 'keepdims', 1) === 1)];
}

/** For left = first second' and y: first * (y second), if y second is among the products. */
function replacement(left: Value, y: Value, products: Products): Value | undefined {
  if (left.producer?.op !== 'MatMul' || !sameShape(left.type.shape, y.type.shape)) return undefined;
  const [first, second] = left.producer.inputs as [Value, Value];
  const other = isTransposeLast(second) ? products.get(y)?.get(untransposed(second)) : undefined;
  return other && sameShape(other.type.shape, first.type.shape) ? mul(first, other) : undefined;
}

/** g a + g b, or g a + (g b) c: g (a + b), or g (a + b c), if the products serve nothing else. */
function commonFactor(
  node: Node,
  inputs: readonly Value[],
  usedOnce: ReadonlySet<Value>,
): readonly Value[] | undefined {
  if (node.op !== 'Add') return undefined;
  const { shape } = node.outputs[0]!.type;
  const once = node.inputs.map(value => factorsUsedOnce(value, usedOnce));
  for (const [i, j] of [
    [0, 1],
    [1, 0],
  ] as const) {
    if (!once[i]!.product || !once[j]!.product) continue;
    const [x, y] = [inputs[i]!.producer!.inputs, inputs[j]!.producer!.inputs] as const;
    for (const [k, factor] of x.entries()) {
      if (!sameShape(factor.type.shape, shape)) continue;
      const rest = withoutFactor(y, factor, once[j]!.inner);
      if (rest && sameShape(rest.type.shape, shape) && sameShape(x[1 - k]!.type.shape, shape))
        return [mul(factor, add(x[1 - k]!, rest))];
    }
  }
  return undefined;
}

/** Is it a product that is read once, and which of its two factors are such products? */
function factorsUsedOnce(value: Value, usedOnce: ReadonlySet<Value>) {
  const isProduct = (x: Value) => x.producer?.op === 'Mul' && usedOnce.has(x);
  const product = isProduct(value);
  return { product, inner: product ? value.producer!.inputs.map(isProduct) : [] };
}

/** The product of `factors` without one of them, which may be a factor of a factor. */
function withoutFactor(
  factors: readonly Value[],
  factor: Value,
  inner: readonly boolean[],
): Value | undefined {
  for (const [i, candidate] of factors.entries()) {
    const other = factors[1 - i]!;
    if (candidate === factor) return other;
    const nested = inner[i] ? candidate.producer!.inputs : [];
    const at = nested.indexOf(factor);
    if (at >= 0) return mul(nested[1 - at]!, other);
  }
  return undefined;
}
