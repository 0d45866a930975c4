import type { Datatype } from '@sluice/domain/datatype';
import { datatypeBytes } from '@sluice/domain/datatype';
import { stringsSize, writeStrings } from './bytes-tensor.ts';
import { parameterSize, writeParameter } from './parameters.ts';
import type { ParameterValue } from './parameters.ts';
import { fieldSize, varintSize, WireWriter } from './wire-writer.ts';

/** A tensor on its way into a message. */
export interface TensorPart {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Raw little-endian bytes, or for BYTES the strings themselves. A view of shared memory will do. */
  readonly data: Uint8Array | readonly string[];
}

/** Field numbers in which ModelInferRequest and ModelInferResponse differ. */
interface Fields {
  readonly tensors: number;
  readonly outputs: number;
  readonly raw: number;
}

export const requestFields: Fields = { tensors: 5, outputs: 6, raw: 7 };
export const responseFields: Fields = { tensors: 5, outputs: 0, raw: 6 };

export interface MessageParts {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Iterable<readonly [string, ParameterValue]>;
  readonly tensors: readonly TensorPart[];
  /** Names of requested outputs; requests only. */
  readonly outputs: readonly string[];
}

function shapeSize(shape: readonly number[]): number {
  let size = 0;
  for (const dimension of shape) size += varintSize(dimension);
  return size;
}

function tensorSize(tensor: TensorPart): number {
  const shape = shapeSize(tensor.shape);
  return (
    fieldSize(Buffer.byteLength(tensor.name)) + fieldSize(tensor.datatype.length) + (shape === 0 ? 0 : fieldSize(shape))
  );
}

function dataSize(tensor: TensorPart): number {
  return tensor.data instanceof Uint8Array ? tensor.data.byteLength : stringsSize(tensor.data);
}

/** Refuses a part whose bytes do not fit its shape: the mistake is the caller's, in our own process. */
function checkPart(tensor: TensorPart): void {
  let elements = 1;
  for (const dimension of tensor.shape) {
    if (!Number.isSafeInteger(dimension) || dimension < 0) {
      throw new RangeError(`tensor '${tensor.name}': ${dimension} is not a dimension`);
    }
    elements *= dimension;
  }
  const size = datatypeBytes[tensor.datatype];
  if (tensor.data instanceof Uint8Array) {
    if (size === 0 || tensor.data.byteLength === elements * size) return;
    throw new RangeError(
      `tensor '${tensor.name}': shape [${tensor.shape.join(',')}] of ${tensor.datatype} takes ${elements * size} bytes, got ${tensor.data.byteLength}`,
    );
  }
  if (size !== 0) throw new RangeError(`tensor '${tensor.name}': strings are BYTES, not ${tensor.datatype}`);
  if (tensor.data.length !== elements) {
    throw new RangeError(`tensor '${tensor.name}': expected ${elements} strings, got ${tensor.data.length}`);
  }
}

function headerSize(parts: MessageParts): number {
  let size = 0;
  for (const text of [parts.modelName, parts.modelVersion, parts.id]) {
    if (text !== '') size += fieldSize(Buffer.byteLength(text));
  }
  for (const [key, value] of parts.parameters) size += parameterSize(key, value);
  return size;
}

function writeHeader(writer: WireWriter, parts: MessageParts): void {
  if (parts.modelName !== '') writer.string(1, parts.modelName, Buffer.byteLength(parts.modelName));
  if (parts.modelVersion !== '') writer.string(2, parts.modelVersion, Buffer.byteLength(parts.modelVersion));
  if (parts.id !== '') writer.string(3, parts.id, Buffer.byteLength(parts.id));
  for (const [key, value] of parts.parameters) writeParameter(writer, 4, key, value);
}

function writeTensor(writer: WireWriter, field: number, tensor: TensorPart): void {
  writer.open(field, tensorSize(tensor));
  writer.string(1, tensor.name, Buffer.byteLength(tensor.name));
  writer.string(2, tensor.datatype, tensor.datatype.length);
  const shape = shapeSize(tensor.shape);
  if (shape === 0) return;
  writer.open(3, shape);
  for (const dimension of tensor.shape) writer.varint(dimension);
}

function writeData(writer: WireWriter, field: number, tensor: TensorPart): void {
  writer.open(field, dataSize(tensor));
  if (tensor.data instanceof Uint8Array) writer.raw(tensor.data);
  else writer.pos = writeStrings(tensor.data, writer.bytes, writer.pos);
}

/** Writes a whole message into one buffer of its exact size; tensor bytes are copied once. */
export function writeMessage(parts: MessageParts, fields: Fields): Buffer {
  let size = headerSize(parts);
  for (const tensor of parts.tensors) {
    checkPart(tensor);
    size += fieldSize(tensorSize(tensor)) + fieldSize(dataSize(tensor));
  }
  for (const output of parts.outputs) size += fieldSize(fieldSize(Buffer.byteLength(output)));
  const writer = new WireWriter(size);
  writeHeader(writer, parts);
  for (const tensor of parts.tensors) writeTensor(writer, fields.tensors, tensor);
  for (const output of parts.outputs) {
    const length = Buffer.byteLength(output);
    writer.open(fields.outputs, fieldSize(length));
    writer.string(1, output, length);
  }
  for (const tensor of parts.tensors) writeData(writer, fields.raw, tensor);
  return writer.bytes;
}
