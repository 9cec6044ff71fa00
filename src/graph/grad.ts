/** Reverse-mode differentiation: a pure function from graph to graph. */
import { InternalError, ShapeError } from '../base/index.ts';
import { add, scalarLike, unbroadcast, zerosLike } from './build.ts';
import { nodesBefore } from './graph.ts';
import { type OpName, ops } from './ops/index.ts';
import { isDifferentiable } from './rule.ts';
import { formatType, type Node, sameShape, type Value } from './types.ts';

/** Gradients of a scalar loss with respect to each of `wrt`, as new values of the same graph. */
export function grad(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.type.shape.length !== 0)
    throw new ShapeError('grad', [formatType(loss.type)], 'the loss must be a scalar');
  return backward([loss], [scalarLike(loss, 1)], wrt);
}

/**
 * Vector-Jacobian product: given the cotangent of each output (the gradient of some loss with respect to it), the gradients with
 * respect to each of `wrt`. A value that no output depends on gets zeros.
 */
export function backward(
  outputs: readonly Value[],
  cotangents: readonly Value[],
  wrt: readonly Value[],
): Value[] {
  const nodes = nodesBefore(outputs, new Set(wrt));
  const dependent = dependents(nodes, wrt);
  const gradients = new Map<Value, Value>();
  const accumulate = (value: Value, gradient: Value) => {
    const fitted = unbroadcast(gradient, value); // the only place where broadcasting is undone
    if (!sameShape(fitted.type.shape, value.type.shape)) {
      throw new ShapeError(
        'grad',
        [formatType(value.type), formatType(fitted.type)],
        'a gradient must have the shape of its value',
      );
    }
    const earlier = gradients.get(value);
    gradients.set(value, earlier ? add(earlier, fitted) : fitted);
  };
  outputs.forEach((output, i) => {
    accumulate(output, cotangents[i]!);
  });
  for (const node of nodes.reverse()) {
    const grads = node.outputs.map(output => gradients.get(output));
    const wanted = node.inputs.map(input => dependent.has(input));
    if (!wanted.includes(true) || grads.every(g => g === undefined)) continue;
    vjpOf(node)({ node, inputs: node.inputs, outputs: node.outputs, grads, wanted }).forEach(
      (gradient, i) => {
        if (gradient && wanted[i]) accumulate(node.inputs[i]!, gradient);
      },
    );
  }
  return wrt.map(value => gradients.get(value) ?? zerosLike(value));
}

/** The values through which `wrt` reaches the outputs. */
function dependents(nodes: readonly Node[], wrt: readonly Value[]): Set<Value> {
  const found = new Set<Value>(wrt);
  for (const node of nodes) {
    if (node.inputs.some(input => found.has(input))) for (const output of node.outputs) found.add(output);
  }
  return found;
}

function vjpOf(node: Node) {
  const rule = ops[node.op as OpName]?.vjp;
  if (!rule) throw new InternalError(`no operator ${node.op}`);
  if (!isDifferentiable(rule))
    throw new ShapeError(
      node.op,
      node.inputs.map(v => formatType(v.type)),
      `has no gradient: ${rule.notDifferentiable}`,
    );
  return rule;
}
