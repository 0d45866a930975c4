import { ProtoWriter } from './proto-writer.ts';

const float32 = 1;
const attributeInt = 2;
const attributeInts = 7;

export type Attribute = number | readonly number[];

/** A seeded generator of numbers in [0, 1): the same weights on every machine. */
export function seededUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

/** Builds an ONNX model of float tensors, node by node; every name is an output of the node that makes it. */
export class GraphBuilder {
  readonly #graph = new ProtoWriter();
  readonly #uniform: () => number;
  #made = 0;

  constructor(name: string, seed: number) {
    this.#graph.string(2, name);
    this.#uniform = seededUniform(seed);
  }

  /** A float input or output; a dimension is a size or the name of a dynamic one. */
  input(name: string, dimensions: readonly (number | string)[]): string {
    this.#graph.message(11, valueInfo(name, dimensions));
    return name;
  }

  output(name: string, dimensions: readonly (number | string)[]): void {
    this.#graph.message(12, valueInfo(name, dimensions));
  }

  /** Random weights of mean 0, scaled so that values keep their size through a layer with `fanIn` inputs and a ReLU. */
  weights(dimensions: readonly number[], fanIn: number): string {
    const count = dimensions.reduce((product, size) => product * size, 1);
    const limit = Math.sqrt(6 / fanIn);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = (this.#uniform() * 2 - 1) * limit;
    return this.#initializer(dimensions, values);
  }

  /** Adds a node with one output and returns the output's name. */
  node(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    output?: string,
  ): string {
    const result = output ?? this.#name(type);
    const node = new ProtoWriter();
    for (const input of inputs) node.string(1, input);
    node.string(2, result).string(4, type);
    for (const [name, value] of Object.entries(attributes)) node.message(5, attribute(name, value));
    this.#graph.message(1, node);
    return result;
  }

  finish(): Buffer {
    const opset = new ProtoWriter().string(1, '').int(2, 17);
    return new ProtoWriter().int(1, 8).string(2, 'sluice-bench').message(7, this.#graph).message(8, opset).finish();
  }

  #initializer(dimensions: readonly number[], values: Float32Array): string {
    const name = this.#name('weights');
    const tensor = new ProtoWriter();
    for (const size of dimensions) tensor.int(1, size);
    tensor.int(2, float32).string(8, name);
    tensor.bytes(9, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    this.#graph.message(5, tensor);
    return name;
  }

  #name(of: string): string {
    return `${of.toLowerCase()}_${this.#made++}`;
  }
}

function attribute(name: string, value: Attribute): ProtoWriter {
  const message = new ProtoWriter().string(1, name);
  if (typeof value === 'number') return message.int(3, value).int(20, attributeInt);
  for (const item of value) message.int(8, item);
  return message.int(20, attributeInts);
}

function valueInfo(name: string, dimensions: readonly (number | string)[]): ProtoWriter {
  const shape = new ProtoWriter();
  for (const dimension of dimensions) {
    const dim = new ProtoWriter();
    if (typeof dimension === 'number') dim.int(1, dimension);
    else dim.string(2, dimension);
    shape.message(1, dim);
  }
  const tensor = new ProtoWriter().int(1, float32).message(2, shape);
  return new ProtoWriter().string(1, name).message(2, new ProtoWriter().message(1, tensor));
}
