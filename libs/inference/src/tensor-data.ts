import type { Datatype } from '@sluice/domain/datatype';
import { datatypeBytes } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';
import { decodeStrings, encodeStrings } from './bytes-tensor.ts';
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from './half.ts';

/** What elements of a datatype are in JavaScript. FP16 and BF16 widen to single precision, which is exact. */
export type TensorValues =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | string[];

/** Plain values of a tensor, as a person or a file has them. */
export type PlainValue = number | bigint | boolean | string;

/**
 * Decodes a tensor's raw bytes. The result is a copy, so alignment does not matter. BOOL gives 0 and 1.
 * @throws SluiceError invalid-argument when the bytes are not a whole number of elements
 */
export function decodeTensor(datatype: Datatype, raw: Uint8Array): TensorValues {
  if (datatype === 'BYTES') return decodeStrings(raw);
  const size = datatypeBytes[datatype];
  if (raw.byteLength % size !== 0) {
    throw invalidArgument(`${datatype} tensor: ${raw.byteLength} bytes are not a multiple of ${size}`);
  }
  // Every machine that Node runs on for us is little-endian, as the wire is.
  const { buffer } = new Uint8Array(raw);
  switch (datatype) {
    case 'BOOL':
    case 'UINT8':
      return new Uint8Array(buffer);
    case 'INT8':
      return new Int8Array(buffer);
    case 'UINT16':
      return new Uint16Array(buffer);
    case 'INT16':
      return new Int16Array(buffer);
    case 'UINT32':
      return new Uint32Array(buffer);
    case 'INT32':
      return new Int32Array(buffer);
    case 'UINT64':
      return new BigUint64Array(buffer);
    case 'INT64':
      return new BigInt64Array(buffer);
    case 'FP32':
      return new Float32Array(buffer);
    case 'FP64':
      return new Float64Array(buffer);
    case 'FP16':
      return widened(new Uint16Array(buffer), halfToNumber);
    case 'BF16':
      return widened(new Uint16Array(buffer), bfloatToNumber);
  }
}

/** `Float32Array.from` would go through an iterator, ten times as slow. */
function widened(values: Uint16Array, toNumber: (bits: number) => number): Float32Array {
  const floats = new Float32Array(values.length);
  for (let index = 0; index < values.length; index++) floats[index] = toNumber(values[index]!);
  return floats;
}

/** Inclusive bounds of the integer datatypes. */
const ranges: Partial<Record<Datatype, readonly [bigint, bigint]>> = {
  UINT8: [0n, 255n],
  UINT16: [0n, 65535n],
  UINT32: [0n, 2n ** 32n - 1n],
  UINT64: [0n, 2n ** 64n - 1n],
  INT8: [-128n, 127n],
  INT16: [-32768n, 32767n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
};

type Put = (view: DataView, pos: number, value: PlainValue) => void;

const putters: Record<Exclude<Datatype, 'BYTES'>, Put> = {
  BOOL: (view, pos, value) => view.setUint8(pos, value ? 1 : 0),
  UINT8: (view, pos, value) => view.setUint8(pos, Number(value)),
  INT8: (view, pos, value) => view.setInt8(pos, Number(value)),
  UINT16: (view, pos, value) => view.setUint16(pos, Number(value), true),
  INT16: (view, pos, value) => view.setInt16(pos, Number(value), true),
  UINT32: (view, pos, value) => view.setUint32(pos, Number(value), true),
  INT32: (view, pos, value) => view.setInt32(pos, Number(value), true),
  UINT64: (view, pos, value) => view.setBigUint64(pos, BigInt(value), true),
  INT64: (view, pos, value) => view.setBigInt64(pos, BigInt(value), true),
  FP32: (view, pos, value) => view.setFloat32(pos, Number(value), true),
  FP64: (view, pos, value) => view.setFloat64(pos, Number(value), true),
  FP16: (view, pos, value) => view.setUint16(pos, numberToHalf(Number(value)), true),
  BF16: (view, pos, value) => view.setUint16(pos, numberToBfloat(Number(value)), true),
};

function checkValue(datatype: Datatype, value: PlainValue, index: number): void {
  const complain = (expected: string): never => {
    throw invalidArgument(
      `element ${index}: expected ${expected} for ${datatype}, got ${typeof value} ${String(value)}`,
    );
  };
  if (datatype === 'BOOL') {
    if (
      typeof value === 'string' ||
      (value !== true && value !== false && Number(value) !== 0 && Number(value) !== 1)
    ) {
      complain('true, false, 0 or 1');
    }
    return;
  }
  if (typeof value === 'string' || typeof value === 'boolean') complain('a number');
  const range = ranges[datatype];
  if (!range) return;
  if (typeof value === 'number' && !Number.isInteger(value)) complain('an integer');
  const integer = BigInt(value);
  if (integer < range[0] || integer > range[1]) complain(`${range[0].toString()} to ${range[1].toString()}`);
}

/**
 * Encodes plain values as a tensor's raw bytes; nothing is rounded but numbers into the float types.
 * @throws SluiceError invalid-argument naming the first element that does not fit the datatype
 */
export function encodeTensor(datatype: Datatype, values: ArrayLike<PlainValue>): Uint8Array {
  if (datatype === 'BYTES') {
    const strings = Array.from(values, (value, index) => {
      if (typeof value === 'string') return value;
      throw invalidArgument(`element ${index}: expected a string for BYTES, got ${typeof value} ${String(value)}`);
    });
    return encodeStrings(strings);
  }
  const size = datatypeBytes[datatype];
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  const put = putters[datatype];
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    checkValue(datatype, value, index);
    put(view, index * size, value);
  }
  return bytes;
}

/** The raw bytes of a typed array, without a copy. */
export function rawView(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
