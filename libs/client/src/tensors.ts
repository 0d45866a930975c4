import { datatypeBytes } from '@sluice/domain/datatype';
import type { Datatype } from '@sluice/domain/datatype';
import { SluiceError } from '@sluice/domain/errors';
import type { TensorPart } from '@sluice/inference/message-writer';
import { encodeTensor, rawView } from '@sluice/inference/tensor-data';
import type { PlainValue } from '@sluice/inference/tensor-data';

export type { Datatype } from '@sluice/domain/datatype';

type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** An input as a program has it. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  /** With the batch dimension where the model has one. */
  readonly shape: readonly number[];
  /**
   * The elements in row-major order. A typed array of the datatype's own kind is sent as it is; a Uint8Array for another
   * datatype than UINT8 and BOOL is taken as its raw little-endian bytes; anything else is converted, value by value.
   */
  readonly data: NumericArray | readonly PlainValue[];
}

/** Which typed array holds the bytes that go over the wire. */
const sameBytes: Readonly<Record<Datatype, readonly string[]>> = {
  BOOL: ['Uint8Array'],
  UINT8: ['Uint8Array'],
  UINT16: ['Uint16Array'],
  UINT32: ['Uint32Array'],
  UINT64: ['BigUint64Array'],
  INT8: ['Int8Array'],
  INT16: ['Int16Array'],
  INT32: ['Int32Array'],
  INT64: ['BigInt64Array'],
  FP16: [],
  FP32: ['Float32Array'],
  FP64: ['Float64Array'],
  BF16: [],
  BYTES: [],
};

/** Raw bytes as they are, once they are as many as the shape needs; BYTES says its own length, element by element. */
function checkedRaw({ name, datatype, shape }: Tensor, data: Uint8Array, elements: number): Uint8Array {
  const expected = datatype === 'BYTES' ? data.length : elements * datatypeBytes[datatype];
  if (data.length === expected) return data;
  throw new SluiceError(
    'invalid-argument',
    `tensor '${name}': shape [${shape.join(', ')}] of ${datatype} has ${expected} bytes, but ${data.length} were given`,
  );
}

/**
 * A tensor ready for a request.
 *
 * @throws SluiceError invalid-argument naming the tensor and what does not fit
 */
export function toPart(tensor: Tensor): TensorPart {
  const { name, datatype, shape, data } = tensor;
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  const isRaw = data instanceof Uint8Array && datatype !== 'UINT8' && datatype !== 'BOOL';
  if (!isRaw && data.length !== elements)
    throw new SluiceError(
      'invalid-argument',
      `tensor '${name}': shape [${shape.join(', ')}] has ${elements} elements, but ${data.length} were given`,
    );
  if (isRaw) return { name, datatype, shape, data: checkedRaw(tensor, data, elements) };
  if (ArrayBuffer.isView(data) && sameBytes[datatype].includes(data.constructor.name))
    return { name, datatype, shape, data: rawView(data) };
  try {
    return { name, datatype, shape, data: encodeTensor(datatype, data) };
  } catch (error) {
    throw error instanceof SluiceError ? new SluiceError(error.kind, `tensor '${name}': ${error.message}`) : error;
  }
}
