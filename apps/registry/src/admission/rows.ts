import type { Datatype } from '@sluice/domain/datatype';
import { generateRow, type RowKind } from '@sluice/domain/generated-rows';
import type { TensorSpec } from '@sluice/domain/signature';

/** Values of one row of one input, as ONNX Runtime takes them; FP16 as bits. */
export type RowValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | string[];

/** One input with what is declared of its values. */
export interface InputSpec {
  readonly spec: TensorSpec;
  /** Of columns without a range of their own. */
  readonly range: readonly [number, number] | undefined;
}

/** Converts numbers to the bits of half precision; passed in, since the global goes before the runtime loads. */
export type ToHalf = (values: readonly number[]) => Uint16Array;

/** The shape of one row: without the batch dimension, with `sizeOf` for dynamic dimensions. */
export function rowShape(spec: TensorSpec, batched: boolean, sizeOf: (dimName: string) => number): number[] {
  const from = batched ? 1 : 0;
  return spec.shape.slice(from).map((size, index) => (size === -1 ? sizeOf(spec.dimNames[from + index] ?? '') : size));
}

/** Values for one row: drawn from the declared ranges, or zeros (numbers) and empty text. */
export function makeRow(
  input: InputSpec,
  shape: readonly number[],
  kind: RowKind,
  uniform: () => number,
  toHalf: ToHalf,
): RowValues {
  const { spec, range } = input;
  const ranged = range ? { ...spec, min: range[0], max: range[1] } : spec;
  return toTyped(spec.datatype, generateRow(ranged, shape, kind, uniform), toHalf);
}

/** Numbers (or text) as the array that ONNX Runtime takes for a datatype. */
export function toTyped(datatype: Datatype, values: readonly (number | boolean | string)[], toHalf: ToHalf): RowValues {
  if (datatype === 'BYTES') return values.map(String);
  const numbers = values.map(Number);
  switch (datatype) {
    case 'FP32':
      return Float32Array.from(numbers);
    case 'FP64':
      return Float64Array.from(numbers);
    case 'FP16':
    case 'BF16':
      return toHalf(numbers);
    case 'INT8':
      return Int8Array.from(numbers);
    case 'INT16':
      return Int16Array.from(numbers);
    case 'INT32':
      return Int32Array.from(numbers);
    case 'INT64':
      return BigInt64Array.from(numbers, (value) => BigInt(value));
    case 'BOOL':
    case 'UINT8':
      return Uint8Array.from(numbers);
    case 'UINT16':
      return Uint16Array.from(numbers);
    case 'UINT32':
      return Uint32Array.from(numbers);
    case 'UINT64':
      return BigUint64Array.from(numbers, (value) => BigInt(value));
  }
}

/** Rows one after the other. */
export function joinRows(rows: readonly RowValues[]): RowValues {
  const [first] = rows;
  if (!first) return new Float32Array();
  if (Array.isArray(first)) return (rows as readonly string[][]).flat();
  const total = rows.reduce((sum, row) => sum + row.length, 0);
  const Typed = first.constructor as new (length: number) => Uint8Array;
  const joined = new Typed(total);
  let at = 0;
  for (const row of rows as readonly Uint8Array[]) {
    joined.set(row, at);
    at += row.length;
  }
  return joined;
}
