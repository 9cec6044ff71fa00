/**
 * A graph as the bytes of an ONNX model. The graph is spelled in ONNX's operators already, so there is nothing here that knows an
 * operator by name. Weights stay graph inputs unless they are given as `constants`; a model file therefore stays small whatever
 * the size of the model, and Protocol Buffers' limit of 2 GB is never near. Open the result in Netron to look at it.
 */
import {
  type AttributeValue,
  type DType,
  type Graph,
  isGraph,
  isTensor,
  type Node,
  type Tensor,
  type TensorType,
  type Value,
} from '../graph/index.ts';
import { Message } from './protobuf.ts';

export const OPSET = 21;
const IR_VERSION = 10;

const ELEMENT_TYPES: Readonly<Record<DType, number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float64: 11,
};

/** ONNX types attributes, JavaScript does not: these are the ones that hold real numbers. */
const FLOAT_ATTRIBUTES: ReadonlySet<string> = new Set(['alpha', 'beta', 'epsilon']);

const ATTRIBUTE = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, ints: 7 } as const;

/** Names of values, unique over a graph and the loop bodies inside it. */
class Names {
  readonly #names = new Map<Value, string>();
  readonly #taken = new Set<string>();

  /** A name like the one wished for, made different from all others by a number if need be. */
  reserve(wish: string): string {
    let name = wish;
    for (let n = 2; this.#taken.has(name); n++) name = `${wish}_${n}`;
    this.#taken.add(name);
    return name;
  }

  assign(value: Value, wish: string): string {
    const name = this.reserve(wish);
    this.#names.set(value, name);
    return name;
  }

  of(value: Value): string {
    return this.#names.get(value) ?? this.assign(value, value.name ?? `v${this.#names.size}`);
  }
}

/** Serialises a graph. Inputs found in `constants` are stored in the model and are no longer inputs. */
export function toOnnx(graph: Graph, constants: ReadonlyMap<string, Tensor> = new Map()): Uint8Array {
  return new Message()
    .int(1, IR_VERSION)
    .string(2, 'isoflop')
    .message(7, graphMessage(graph, new Names(), constants))
    .message(8, new Message().string(1, '').int(2, OPSET))
    .encode();
}

function graphMessage(graph: Graph, names: Names, constants: ReadonlyMap<string, Tensor>): Message {
  const message = new Message();
  for (const input of graph.inputs) names.assign(input, input.name ?? 'input');
  const results = nameOutputs(graph, names);
  for (const node of graph.nodes) message.message(1, nodeMessage(node, names));
  for (const { source, name } of results) {
    if (source !== name)
      message.message(1, new Message().string(1, source).string(2, name).string(4, 'Identity'));
  }
  message.string(2, 'isoflop');
  for (const input of graph.inputs) {
    const constant = constants.get(names.of(input));
    if (constant) message.message(5, tensorMessage(constant, names.of(input)));
    else message.message(11, valueMessage(names.of(input), input.type));
  }
  for (const { name, type } of results) message.message(12, valueMessage(name, type));
  return message;
}

interface NamedOutput {
  /** Name of the value that is the result. */
  readonly source: string;
  /** Name of the output; differs from the source where an Identity is needed. */
  readonly name: string;
  readonly type: TensorType;
}

/** A node's result takes the output's name; an input or a result that is an output already is copied to it. */
function nameOutputs(graph: Graph, names: Names): NamedOutput[] {
  const made = new Set<Value>(graph.nodes.flatMap(node => node.outputs));
  return graph.outputs.map(({ name, value }) => {
    const wish = outputName(name);
    if (made.delete(value)) {
      const given = names.assign(value, wish);
      return { source: given, name: given, type: value.type };
    }
    return { source: names.of(value), name: names.reserve(wish), type: value.type };
  });
}

/** Output names in the file: apart from input names, so that a parameter may go in and come out under one name. */
export function outputName(name: string): string {
  return `out:${name}`;
}

function nodeMessage(node: Node, names: Names): Message {
  const message = new Message();
  for (const input of node.inputs) message.string(1, names.of(input));
  for (const output of node.outputs) message.string(2, names.of(output));
  message.string(4, node.op);
  for (const [name, value] of Object.entries(node.attributes)) {
    if (value !== undefined) message.message(5, attributeMessage(name, value, names));
  }
  return message;
}

function attributeMessage(name: string, value: AttributeValue, names: Names): Message {
  const message = new Message().string(1, name);
  if (typeof value === 'string') {
    if (name === 'to') return message.int(3, ELEMENT_TYPES[value as DType]).int(20, ATTRIBUTE.int);
    return message.string(4, value).int(20, ATTRIBUTE.string);
  }
  if (typeof value === 'number') {
    return FLOAT_ATTRIBUTES.has(name)
      ? message.float(2, value).int(20, ATTRIBUTE.float)
      : message.int(3, value).int(20, ATTRIBUTE.int);
  }
  if (isGraph(value))
    return message.message(6, graphMessage(value, names, new Map())).int(20, ATTRIBUTE.graph);
  if (isTensor(value)) return message.message(5, tensorMessage(value, '')).int(20, ATTRIBUTE.tensor);
  for (const item of value) message.int(8, item);
  return message.int(20, ATTRIBUTE.ints);
}

function tensorMessage(tensor: Tensor, name: string): Message {
  const message = new Message();
  for (const size of tensor.shape) message.int(1, size);
  const { buffer, byteOffset, byteLength } = tensor.data;
  return message
    .int(2, ELEMENT_TYPES[tensor.dtype])
    .string(8, name)
    .bytes(9, new Uint8Array(buffer, byteOffset, byteLength));
}

function valueMessage(name: string, { dtype, shape }: TensorType): Message {
  const dims = new Message();
  for (const dim of shape)
    dims.message(1, typeof dim === 'number' ? new Message().int(1, dim) : new Message().string(2, dim));
  const tensorType = new Message().int(1, ELEMENT_TYPES[dtype]).message(2, dims);
  return new Message().string(1, name).message(2, new Message().message(1, tensorType));
}
