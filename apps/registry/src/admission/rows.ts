import type { Datatype } from '@sluice/domain/datatype';
import type { Feature, TensorSpec } from '@sluice/domain/signature';

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

/** How the values of a row are chosen. */
export type RowKind = 'random' | 'zeros';

/** One input with what is declared of its values. */
export interface InputSpec {
  readonly spec: TensorSpec;
  /** Of columns without a range of their own. */
  readonly range: readonly [number, number] | undefined;
}

/** Converts numbers to the bits of half precision; passed in, since the global goes before the runtime loads. */
export type ToHalf = (values: readonly number[]) => Uint16Array;

/** A small generator of uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

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
  const count = shape.reduce((product, size) => product * size, 1);
  const columns = shape.at(-1) ?? 1;
  if (spec.datatype === 'BYTES') {
    return Array.from({ length: count }, () => (kind === 'zeros' ? '' : String(Math.floor(uniform() * 10))));
  }
  const draw = (index: number): number => {
    if (kind === 'zeros') return 0;
    const feature = spec.features.length === columns ? spec.features[index % columns] : undefined;
    return drawValue(spec.datatype, feature, range, uniform);
  };
  return toTyped(
    spec.datatype,
    Array.from({ length: count }, (_, index) => draw(index)),
    toHalf,
  );
}

const integerBounds: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  INT8: [-128, 127],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UINT8: [0, 255],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
};

function drawValue(
  datatype: Datatype,
  feature: Feature | undefined,
  range: readonly [number, number] | undefined,
  uniform: () => number,
): number {
  const bounds = integerBounds[datatype];
  if (!bounds && datatype !== 'BOOL' && feature?.nullable && uniform() < 0.1) return Number.NaN;
  const low = feature?.min ?? range?.[0];
  const high = feature?.max ?? range?.[1];
  if (datatype === 'BOOL') return uniform() < 0.5 ? 0 : 1;
  if (bounds) {
    // Without a range small numbers are the least likely to be out of some table.
    const from = Math.max(bounds[0], Math.ceil(low ?? Math.min(0, high ?? 0)));
    const to = Math.min(bounds[1], Math.floor(high ?? Math.max(1, from + 1)));
    return to <= from ? from : from + Math.floor(uniform() * (to - from + 1));
  }
  if (low !== undefined && high !== undefined) return low + uniform() * (high - low);
  const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  if (low !== undefined) return low + Math.abs(normal);
  return high !== undefined ? high - Math.abs(normal) : normal;
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
