import { elementBytes, type RuntimeDatatype } from './datatypes.ts';

/** An input of one shape bucket. */
export interface InputPlan {
  readonly name: string;
  readonly datatype: RuntimeDatatype;
  /** Shape of one row; the whole shape where the model has no batch dimension. Nothing is dynamic any more. */
  readonly dims: readonly number[];
}

/** An output that a batch of this bucket computes. */
export interface OutputPlan {
  readonly name: string;
  readonly datatype: RuntimeDatatype;
  /**
   * Shape of one row (or of the whole tensor, without a batch dimension) where it is known before the run: the output
   * is then computed straight into shared memory. Undefined where the run decides, and for BYTES.
   */
  readonly dims: readonly number[] | undefined;
}

/** How batches of one shape bucket lie in shared memory. Both threads hold the same plan under the same number. */
export interface BatchPlan {
  readonly id: number;
  /** True when tensors have a leading batch dimension that the plan's dims leave out. */
  readonly batched: boolean;
  readonly inputs: readonly InputPlan[];
  readonly outputs: readonly OutputPlan[];
}

/** Where each tensor of a batch starts, in bytes from the start of the batch's buffer. */
export interface BatchLayout {
  readonly inputs: readonly number[];
  /** -1 for an output that the run decides. */
  readonly outputs: readonly number[];
  readonly totalBytes: number;
}

/** Tensors start on cache lines. */
const alignment = 64;
/**
 * Buckets whose largest batch needs less than this always get room for it, so that buffers and views are reused and a
 * batch that waits for its thread can grow. Memory that no row was ever written to costs nothing.
 */
const roomyBytes = 16 << 20;

const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

export function elementCount(dims: readonly number[]): number {
  let count = 1;
  for (const dim of dims) count *= dim;
  return count;
}

/** Bytes of one row of a tensor of fixed-size elements. */
export function rowBytes(tensor: { readonly datatype: RuntimeDatatype; readonly dims: readonly number[] }): number {
  return elementCount(tensor.dims) * elementBytes(tensor.datatype);
}

/** Bytes of the directory at the head of a batch buffer: a Uint32 per input with the bytes of a BYTES input. */
export function directoryBytes(plan: BatchPlan): number {
  return align(4 * plan.inputs.length);
}

/**
 * Lays out a batch with room for `capacity` rows. `stringBytes` has, by input, the bytes of BYTES inputs (any number
 * for the others). Both threads call this with the same arguments.
 */
export function layoutOf(plan: BatchPlan, capacity: number, stringBytes: ArrayLike<number>): BatchLayout {
  let at = directoryBytes(plan);
  const inputs = plan.inputs.map((input, index) => {
    const start = at;
    at += align(input.datatype === 'BYTES' ? (stringBytes[index] ?? 0) : capacity * rowBytes(input));
    return start;
  });
  const outputs = plan.outputs.map((output) => {
    if (!output.dims || output.datatype === 'BYTES') return -1;
    const start = at;
    at += align(capacity * rowBytes({ datatype: output.datatype, dims: output.dims }));
    return start;
  });
  return { inputs, outputs, totalBytes: at };
}

/** True when a plan's layout depends on nothing but the capacity, so that views may be kept. */
export function hasFixedLayout(plan: BatchPlan): boolean {
  return plan.inputs.every((input) => input.datatype !== 'BYTES');
}

/** True when the run decides at least one output: its results come back by message, not in the batch buffer. */
export function hasOpenOutputs(plan: BatchPlan): boolean {
  return plan.outputs.some((output) => !output.dims || output.datatype === 'BYTES');
}

/** Rows that a batch of `rows` gets room for: all that may ever come where that is small, else the next power of two. */
export function capacityFor(plan: BatchPlan, rows: number, maxRows: number): number {
  if (rows >= maxRows) return rows;
  let perRow = 0;
  for (const input of plan.inputs) perRow += rowBytes(input);
  for (const output of plan.outputs) {
    if (output.dims) perRow += rowBytes({ datatype: output.datatype, dims: output.dims });
  }
  if (perRow * maxRows <= roomyBytes) return maxRows;
  let capacity = 1;
  while (capacity < rows) capacity *= 2;
  return Math.min(capacity, maxRows);
}
