import type { Datatype } from '@sluice/domain/datatype';

/**
 * Writes ONNX files for tests and benches without Python: `model({ graph: graph({ … }) })` gives the bytes of a
 * ModelProto. Parts are already encoded messages, so that a test can also put in bytes that no exporter would.
 */

/** ONNX's TensorProto.DataType by OIP name, and those that OIP does not have. */
export const onnxTypes = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  COMPLEX64: 14,
  BF16: 16,
  FP8E4M3FN: 17,
  UINT4: 21,
  INT4: 22,
} as const satisfies Record<Datatype, number> & Record<string, number>;

export type OnnxType = keyof typeof onnxTypes;
/** A size, a dimension's name, or null for one that is neither. */
export type BuilderDim = number | string | null;
/** An encoded protobuf message. */
export type Encoded = Uint8Array;

function varint(value: number | bigint): Encoded {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

/** Field `number` as a varint. */
export function varintField(number: number, value: number | bigint): Encoded {
  return Buffer.concat([varint(number << 3), varint(value)]);
}

/** Field `number` as bytes, text or an embedded message. */
export function bytesField(number: number, value: Uint8Array | string): Encoded {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function floatField(number: number, value: number): Encoded {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((number << 3) | 5), bytes]);
}

const join = (parts: readonly Encoded[]): Encoded => Buffer.concat(parts);

/** Row-major values as ONNX's little-endian `raw_data`. FP16 values must fit; BYTES have no raw form. */
export function rawData(type: OnnxType, values: readonly (number | bigint | boolean)[]): Uint8Array {
  const numbers = values.map((value) => (typeof value === 'boolean' ? Number(value) : value));
  const plain = () => numbers.map(Number);
  const large = () => numbers.map((value) => BigInt(value));
  const view = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  switch (type) {
    case 'FP32':
      return view(Float32Array.from(plain()));
    case 'FP64':
      return view(Float64Array.from(plain()));
    case 'FP16':
      return view(Float16Array.from(plain()));
    case 'INT8':
      return view(Int8Array.from(plain()));
    case 'INT16':
      return view(Int16Array.from(plain()));
    case 'INT32':
      return view(Int32Array.from(plain()));
    case 'INT64':
      return view(BigInt64Array.from(large()));
    case 'UINT8':
    case 'BOOL':
      return view(Uint8Array.from(plain()));
    case 'UINT16':
      return view(Uint16Array.from(plain()));
    case 'UINT32':
      return view(Uint32Array.from(plain()));
    case 'UINT64':
      return view(BigUint64Array.from(large()));
    default:
      throw new Error(`no raw form for ${type}; pass bytes`);
  }
}

/** A TensorProto. `values` are numbers, strings (BYTES), or bytes that become `raw_data` as they are. */
export function tensor(
  name: string,
  type: OnnxType,
  dims: readonly number[],
  values: Uint8Array | readonly (number | bigint | boolean | string)[],
): Encoded {
  const parts = [...dims.map((dim) => varintField(1, dim)), varintField(2, onnxTypes[type]), bytesField(8, name)];
  if (type === 'BYTES' && !(values instanceof Uint8Array)) {
    for (const value of values) parts.push(bytesField(6, String(value)));
  } else {
    const numbers = values as Uint8Array | readonly (number | bigint | boolean)[];
    parts.push(bytesField(9, numbers instanceof Uint8Array ? numbers : rawData(type, numbers)));
  }
  return join(parts);
}

/** A TensorProto whose bytes are in another file. */
export function externalTensor(
  name: string,
  type: OnnxType,
  dims: readonly number[],
  external: { readonly location: string; readonly offset?: number | bigint; readonly length?: number | bigint },
): Encoded {
  const entry = (key: string, value: string) => bytesField(13, join([bytesField(1, key), bytesField(2, value)]));
  const parts = [
    ...dims.map((dim) => varintField(1, dim)),
    varintField(2, onnxTypes[type]),
    bytesField(8, name),
    entry('location', external.location),
  ];
  if (external.offset !== undefined) parts.push(entry('offset', String(external.offset)));
  if (external.length !== undefined) parts.push(entry('length', String(external.length)));
  parts.push(varintField(14, 1));
  return join(parts);
}

function tensorType(type: OnnxType, shape: readonly BuilderDim[] | undefined): Encoded {
  const parts = [varintField(1, onnxTypes[type])];
  if (shape) {
    const dims = shape.map((dim) => {
      if (dim === null) return bytesField(1, new Uint8Array());
      return bytesField(1, typeof dim === 'number' ? varintField(1, dim) : bytesField(2, dim));
    });
    parts.push(bytesField(2, join(dims)));
  }
  return bytesField(1, join(parts));
}

/** A ValueInfoProto of a tensor; no `shape` leaves the rank open. */
export function value(name: string, type: OnnxType, shape?: readonly BuilderDim[]): Encoded {
  return join([bytesField(1, name), bytesField(2, tensorType(type, shape))]);
}

/** A ValueInfoProto of a sequence of tensors. */
export function sequenceValue(name: string, type: OnnxType): Encoded {
  return join([bytesField(1, name), bytesField(2, bytesField(4, bytesField(1, tensorType(type, undefined))))]);
}

/** AttributeProtos by kind. */
export const attribute = {
  int: (name: string, value: number | bigint): Encoded =>
    join([bytesField(1, name), varintField(3, value), varintField(20, 2)]),
  float: (name: string, value: number): Encoded =>
    join([bytesField(1, name), floatField(2, value), varintField(20, 1)]),
  string: (name: string, value: string): Encoded =>
    join([bytesField(1, name), bytesField(4, value), varintField(20, 3)]),
  tensor: (name: string, value: Encoded): Encoded =>
    join([bytesField(1, name), bytesField(5, value), varintField(20, 4)]),
  graph: (name: string, value: Encoded): Encoded =>
    join([bytesField(1, name), bytesField(6, value), varintField(20, 5)]),
  floats: (name: string, values: readonly number[]): Encoded =>
    join([bytesField(1, name), ...values.map((value) => floatField(7, value)), varintField(20, 6)]),
  ints: (name: string, values: readonly (number | bigint)[]): Encoded =>
    join([bytesField(1, name), ...values.map((value) => varintField(8, value)), varintField(20, 7)]),
  strings: (name: string, values: readonly string[]): Encoded =>
    join([bytesField(1, name), ...values.map((value) => bytesField(9, value)), varintField(20, 8)]),
};

/** A NodeProto; `domain` '' is ONNX's own operators. */
export function node(
  type: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: readonly Encoded[] = [],
  domain = '',
): Encoded {
  return join([
    ...inputs.map((name) => bytesField(1, name)),
    ...outputs.map((name) => bytesField(2, name)),
    bytesField(4, type),
    ...attributes.map((encoded) => bytesField(5, encoded)),
    ...(domain === '' ? [] : [bytesField(7, domain)]),
  ]);
}

export interface GraphParts {
  readonly name?: string;
  readonly nodes: readonly Encoded[];
  readonly inputs: readonly Encoded[];
  readonly outputs: readonly Encoded[];
  readonly initializers?: readonly Encoded[];
}

/** A GraphProto. */
export function graph(parts: GraphParts): Encoded {
  return join([
    ...parts.nodes.map((encoded) => bytesField(1, encoded)),
    bytesField(2, parts.name ?? 'test'),
    ...(parts.initializers ?? []).map((encoded) => bytesField(5, encoded)),
    ...parts.inputs.map((encoded) => bytesField(11, encoded)),
    ...parts.outputs.map((encoded) => bytesField(12, encoded)),
  ]);
}

export interface ModelParts {
  readonly graph: Encoded;
  /** Version of ONNX's own operators; 17 unless told. */
  readonly opset?: number;
  /** Operator sets beside ONNX's own, such as `ai.onnx.ml`. */
  readonly opsets?: Readonly<Record<string, number>>;
  /** 8 unless told. */
  readonly irVersion?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of an ONNX file. */
export function model(parts: ModelParts): Uint8Array<ArrayBuffer> {
  const opset = (domain: string, version: number) =>
    bytesField(8, join([...(domain === '' ? [] : [bytesField(1, domain)]), varintField(2, version)]));
  const bytes = join([
    varintField(1, parts.irVersion ?? 8),
    bytesField(2, 'sluice-testkit'),
    opset('', parts.opset ?? 17),
    ...Object.entries(parts.opsets ?? {}).map(([domain, version]) => opset(domain, version)),
    bytesField(7, parts.graph),
    ...Object.entries(parts.metadata ?? {}).map(([key, text]) =>
      bytesField(14, join([bytesField(1, key), bytesField(2, text)])),
    ),
  ]);
  return new Uint8Array(bytes);
}

/** The smallest useful model: `y = x` for one tensor of the given type and shape. */
export function identityModel(type: OnnxType, shape: readonly BuilderDim[] = ['batch', 3]): Uint8Array<ArrayBuffer> {
  return model({
    graph: graph({
      nodes: [node('Identity', ['x'], ['y'])],
      inputs: [value('x', type, shape)],
      outputs: [value('y', type, shape)],
    }),
  });
}
