/** Products of matrices: where the time goes. */
import { ShapeError } from '../../base/index.ts';
import { broadcastShapes, expectFloat, expectRank, expectSameDtype } from '../broadcast.ts';
import { gemm, matmul, mul, scalarLike, transposeLast } from '../build.ts';
import { attribute, countElements, type Rule } from '../rule.ts';
import { type Dim, formatType, type Node, type TensorType, tensorType } from '../types.ts';

function inferMatMul(node: Omit<Node, 'outputs'>): TensorType[] {
  const [a, b] = [node.inputs[0]!.type, node.inputs[1]!.type];
  const dtype = expectSameDtype('MatMul', [a, b]);
  expectFloat('MatMul', a);
  if (a.shape.length < 2 || b.shape.length < 2)
    throw new ShapeError('MatMul', [formatType(a), formatType(b)], 'expected at least 2 axes each');
  const [m, k] = a.shape.slice(-2) as [Dim, Dim];
  const [k2, n] = b.shape.slice(-2) as [Dim, Dim];
  if (k !== k2)
    throw new ShapeError('MatMul', [formatType(a), formatType(b)], `inner sizes ${k} and ${k2} differ`);
  const batch = broadcastShapes(
    'MatMul',
    tensorType(dtype, a.shape.slice(0, -2)),
    tensorType(dtype, b.shape.slice(0, -2)),
  );
  return [tensorType(dtype, [...batch, m, n])];
}

function inferGemm(node: Omit<Node, 'outputs'>): TensorType[] {
  const [a, b, c] = node.inputs.map(input => input.type) as [TensorType, TensorType, TensorType | undefined];
  const dtype = expectSameDtype('Gemm', c ? [a, b, c] : [a, b]);
  expectFloat('Gemm', a);
  expectRank('Gemm', a, 2);
  expectRank('Gemm', b, 2);
  const [m, k] = (attribute(node, 'transA', 0) ? [a.shape[1]!, a.shape[0]!] : a.shape) as [Dim, Dim];
  const [k2, n] = (attribute(node, 'transB', 0) ? [b.shape[1]!, b.shape[0]!] : b.shape) as [Dim, Dim];
  if (k !== k2)
    throw new ShapeError('Gemm', [formatType(a), formatType(b)], `inner sizes ${k} and ${k2} differ`);
  if (c) broadcastShapes('Gemm', tensorType(dtype, [m, n]), c);
  return [tensorType(dtype, [m, n])];
}

function productFlops(node: Node): number {
  const a = node.inputs[0]!.type.shape;
  const k = node.op === 'Gemm' && attribute(node, 'transA', 0) ? a[0]! : a.at(-1)!;
  return 2 * countElements(node.outputs[0]!.type.shape) * countElements([k]);
}

export const linear = {
  /** Batched: (..., m, k) x (..., k, n) -> (..., m, n) */
  MatMul: {
    infer: inferMatMul,
    vjp: ({ grads, inputs, wanted }) => {
      const [a, b, dy] = [inputs[0]!, inputs[1]!, grads[0]!];
      return [
        wanted[0] ? matmul(dy, transposeLast(b)) : undefined,
        wanted[1] ? matmul(transposeLast(a), dy) : undefined,
      ];
    },
    flops: productFlops,
  },
  /** alpha A' B' + beta C, with A' and B' transposed where asked; matrices only. Transposition costs no pass over the data. */
  Gemm: {
    infer: inferGemm,
    vjp: ({ node, grads, inputs, wanted }) => {
      const [a, b, dy] = [inputs[0]!, inputs[1]!, grads[0]!];
      const [ta, tb] = [attribute(node, 'transA', 0), attribute(node, 'transB', 0)];
      const alpha = attribute(node, 'alpha', 1);
      const beta = attribute(node, 'beta', 1);
      const da = () =>
        ta ? gemm(b, dy, { transA: tb, transB: 1, alpha }) : gemm(dy, b, { transB: tb ? 0 : 1, alpha });
      const db = () =>
        tb ? gemm(dy, a, { transA: 1, transB: ta, alpha }) : gemm(a, dy, { transA: ta ? 0 : 1, alpha });
      const dc = () => (beta === 1 ? dy : mul(dy, scalarLike(dy, beta)));
      return [wanted[0] ? da() : undefined, wanted[1] ? db() : undefined, wanted[2] ? dc() : undefined];
    },
    flops: productFlops,
  },
} satisfies Record<string, Rule>;
