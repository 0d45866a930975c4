import type { Datatype } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { limits } from './limits.ts';
import type { TensorPart } from './message-writer.ts';
import type { ParameterValue } from './parameters.ts';
import { decodeTensor } from './tensor-data.ts';
import type { TensorValues } from './tensor-data.ts';

/** The parameter of a requested output that asks for its largest values instead of all of them. */
export const classificationParameter = 'classification';

/**
 * How many classes a request wants of an output.
 * @param output its name, for error texts
 * @throws SluiceError invalid-argument unless the parameter is an int64 from 1 up
 */
export function classCount(value: ParameterValue, output: string): number {
  const what = `output '${clip(output)}': parameter "${classificationParameter}"`;
  if (value.kind !== 'int64') throw invalidArgument(`${what}: expected int64, got ${value.kind}`);
  if (value.value < 1n) throw invalidArgument(`${what}: expected 1 or more, got ${value.value.toString()}`);
  // No output has more elements, and more than there are means all.
  return value.value > BigInt(limits.elements) ? limits.elements : Number(value.value);
}

/** Whether values of a datatype can be ranked. Triton refuses FP16 too, for want of such a type in its C++. */
export function isRanked(datatype: Datatype): boolean {
  return datatype !== 'BYTES' && datatype !== 'BOOL';
}

/** An output that is ready for a message: its rows are the first dimension where the model is batched. */
export interface ClassifiedOutput extends TensorPart {
  readonly data: Uint8Array;
}

/**
 * Puts the largest values in the place of each output for which a request wants them.
 *
 * @param outputs in the order of the request
 * @param classes how many of each, 0 for the output as it is; undefined when no output is wanted so
 * @param batched whether the first dimension counts rows, each of which has its own classes
 */
export function classifyOutputs(
  outputs: readonly ClassifiedOutput[],
  classes: readonly number[] | undefined,
  batched: boolean,
): readonly TensorPart[] {
  if (!classes) return outputs;
  return outputs.map((output, index) =>
    classes[index]! > 0 ? classify(output, classes[index]!, batched ? output.shape[0]! : undefined) : output,
  );
}

/**
 * The `count` largest values of each row as BYTES of `value:index`, the largest first and equal ones by their index.
 * @param rows undefined where the model has no batch dimension: the whole output is one list then
 */
function classify(output: ClassifiedOutput, count: number, rows: number | undefined): TensorPart {
  const ofRow = rows === undefined ? output.shape : output.shape.slice(1);
  let width = 1;
  for (const dimension of ofRow) width *= dimension;
  const classes = Math.min(count, width);
  const values = decodeTensor(output.datatype, output.data);
  const isFloat = values instanceof Float32Array || values instanceof Float64Array;
  const data: string[] = [];
  for (let row = 0; row < (rows ?? 1); row++) {
    for (const index of largest(values, row * width, width, classes)) {
      const value = values[row * width + index]!;
      data.push(`${isFloat ? fixedText(Number(value)) : String(value)}:${index}`);
    }
  }
  return { name: output.name, datatype: 'BYTES', shape: rows === undefined ? [classes] : [rows, classes], data };
}

/** Indexes of the `count` largest of `width` values that start at `from`, the largest first. */
function largest(values: TensorValues, from: number, width: number, count: number): number[] {
  if (count === 0) return [];
  const isBefore = (one: number, other: number): boolean => ranksBefore(values, from + one, from + other);
  // A heap whose root is the last of those that are kept: time grows with the width, not with its square.
  const kept = Array.from({ length: count }, (_, index) => index);
  for (let at = (count >> 1) - 1; at >= 0; at--) sink(kept, at, isBefore);
  for (let index = count; index < width; index++) {
    if (!isBefore(index, kept[0]!)) continue;
    kept[0] = index;
    sink(kept, 0, isBefore);
  }
  return kept.sort((one, other) => (isBefore(one, other) ? -1 : 1));
}

function sink(heap: number[], start: number, isBefore: (one: number, other: number) => boolean): void {
  let at = start;
  for (;;) {
    let last = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      if (child < heap.length && isBefore(heap[last]!, heap[child]!)) last = child;
    }
    if (last === at) return;
    [heap[at], heap[last]] = [heap[last]!, heap[at]!];
    at = last;
  }
}

/** Whether a value comes before another: larger ones first, what is no number last, equal ones by their place. */
function ranksBefore(values: TensorValues, one: number, other: number): boolean {
  const [left, right] = [values[one]!, values[other]!];
  if (left > right) return true;
  if (left < right) return false;
  const [leftIsNone, rightIsNone] = [Number.isNaN(left), Number.isNaN(right)];
  return leftIsNone === rightIsNone ? one < other : rightIsNone;
}

/** Six decimals, as C's `%f` prints a double. `toFixed` differs in three places: ties, minus zero and large numbers. */
export function fixedText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (size === Infinity) return `${sign}inf`;
  // From here on every double is whole, and toFixed would write an exponent.
  if (size >= 1e21) return `${sign}${BigInt(size).toString()}.000000`;
  const parts = size * 128;
  // Half of the last decimal is 1/2,000,000: of all doubles, only odd multiples of 1/128 lie between two results.
  if (!Number.isSafeInteger(parts) || parts % 2 === 0) return `${sign}${size.toFixed(6)}`;
  let millionths = (BigInt(parts) * 15_625n - 1n) / 2n;
  if (millionths % 2n === 1n) millionths += 1n;
  const digits = millionths.toString().padStart(7, '0');
  return `${sign}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
