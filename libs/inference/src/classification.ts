import type { Datatype } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { limits } from './limits.ts';
import type { TensorPart } from './message-writer.ts';
import type { ParameterValue } from './parameters.ts';
import { decodeTensor } from './tensor-data.ts';

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

/** What a request wants of one of its outputs. */
export interface ClassWish {
  /** How many of the largest values; 0 for the output as it is. */
  readonly count: number;
  /** Class names by the index of a value in its row; one that has none is listed without. */
  readonly labels: readonly string[] | undefined;
}

/** An output that is ready for a message: its rows are the first dimension where the model is batched. */
export interface ClassifiedOutput extends TensorPart {
  readonly data: Uint8Array;
}

/**
 * Puts the largest values in the place of each output for which a request wants them.
 *
 * @param outputs in the order of the request
 * @param classes what is wanted of each; undefined when all are wanted as they are
 * @param batched whether the first dimension counts rows, each of which has its own classes
 * @throws SluiceError invalid-argument, before any work, naming the output with which there are too many
 */
export function classifyOutputs(
  outputs: readonly ClassifiedOutput[],
  classes: readonly ClassWish[] | undefined,
  batched: boolean,
): readonly TensorPart[] {
  if (!classes) return outputs;
  const plans = outputs.map((output, index) =>
    classes[index]!.count > 0 ? planOf(output, classes[index]!, batched ? output.shape[0]! : undefined) : undefined,
  );
  checkWork(plans.filter((plan) => plan !== undefined));
  return outputs.map((output, index) => (plans[index] ? classify(plans[index]) : output));
}

/** What is to be done for one output. */
interface Plan {
  readonly output: ClassifiedOutput;
  /** Undefined where the model has no batch dimension: the whole output is one list then. */
  readonly rows: number | undefined;
  /** Values of a row. */
  readonly width: number;
  /** How many of them are listed. */
  readonly classes: number;
  readonly labels: readonly string[] | undefined;
}

function planOf(output: ClassifiedOutput, { count, labels }: ClassWish, rows: number | undefined): Plan {
  const ofRow = rows === undefined ? output.shape : output.shape.slice(1);
  let width = 1;
  for (const dimension of ofRow) width *= dimension;
  return { output, rows, width, classes: Math.min(count, width), labels };
}

/** All of it is done in the thread that serves everybody, so what one request may ask for is bounded. */
function checkWork(plans: readonly Plan[]): void {
  let [listed, ranked] = [0, 0];
  for (const { output, rows = 1, width, classes } of plans) {
    listed += rows * classes;
    ranked += rows * width;
    const what = `output '${clip(output.name)}': parameter "${classificationParameter}"`;
    if (listed > limits.classes)
      throw invalidArgument(`${what}: the answer would list ${listed} values, at most ${limits.classes} are allowed`);
    if (ranked > limits.rankedValues)
      throw invalidArgument(`${what}: ${ranked} values would be ranked, at most ${limits.rankedValues} are allowed`);
  }
}

/**
 * The largest values of each row as BYTES of `value:index:label`, or `value:index` where there is no label: the largest
 * first and equal ones by their index.
 */
function classify({ output, rows, width, classes, labels }: Plan): TensorPart {
  // Outputs of BYTES are refused with the request. A bigint compares as a number does.
  const values = decodeTensor(output.datatype, output.data) as Float64Array;
  const isFloat = values instanceof Float32Array || values instanceof Float64Array;
  const scratch = values.slice();
  const data: string[] = [];
  for (let row = 0; row < (rows ?? 1); row++) {
    for (const index of largest(values, scratch, { from: row * width, width, count: classes })) {
      const value = values[row * width + index]!;
      const label = labels?.[index] ?? '';
      data.push(`${isFloat ? fixedText(value) : String(value)}:${index}${label === '' ? '' : `:${label}`}`);
    }
  }
  return { name: output.name, datatype: 'BYTES', shape: rows === undefined ? [classes] : [rows, classes], data };
}

/**
 * Indexes of the `count` largest of `width` values that start at `from`, the largest first.
 * @param scratch as long as `values`; its content is lost
 */
function largest(
  values: Float64Array,
  scratch: Float64Array,
  { from, width, count }: { readonly from: number; readonly width: number; readonly count: number },
): number[] {
  if (count === 0) return [];
  let end = from;
  for (let at = from; at < from + width; at++) if (!Number.isNaN(values[at])) scratch[end++] = values[at]!;
  const bound = end === from ? NaN : select(scratch, from, end, Math.max(from, end - count));
  const above: number[] = [];
  const equal: number[] = [];
  const none: number[] = [];
  for (let index = 0; index < width; index++) {
    const value = values[from + index]!;
    if (value > bound) above.push(index);
    else if (value === bound && equal.length < count) equal.push(index);
    else if (Number.isNaN(value) && none.length < count) none.push(index);
  }
  above.sort((one, other) => {
    const [left, right] = [values[from + one]!, values[from + other]!];
    if (left === right) return one - other;
    return left > right ? -1 : 1;
  });
  return [...above, ...equal, ...none].slice(0, count);
}

/** What stands at `target` when the values from `start` to `end` are sorted; moves them about. None of them is NaN. */
function select(values: Float64Array, start: number, end: number, target: number): number {
  let [low, high] = [start, end - 1];
  // Values may be chosen so that each step takes away but a few: what takes long is sorted after all.
  let steps = 8 * (end - start);
  while (low < high) {
    steps -= high - low;
    if (steps < 0) {
      values.subarray(low, high + 1).sort();
      break;
    }
    const pivot = middle(values[low]!, values[(low + high) >>> 1]!, values[high]!);
    let [left, right] = [low, high];
    while (left <= right) {
      while (values[left]! < pivot) left++;
      while (values[right]! > pivot) right--;
      if (left > right) break;
      const value = values[left]!;
      values[left++] = values[right]!;
      values[right--] = value;
    }
    if (target <= right) high = right;
    else if (target >= left) low = left;
    else break;
  }
  return values[target]!;
}

function middle(one: number, two: number, three: number): number {
  if (one > two) return middle(two, one, three);
  if (two <= three) return two;
  return one > three ? one : three;
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
