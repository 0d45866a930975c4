import { SluiceError } from '@sluice/domain/errors';
import { elementCount, hasFixedLayout, layoutOf, rowBytes, type BatchLayout, type BatchPlan } from './batch-plan.ts';
import { slotsPerSession } from './control-block.ts';
import { elementBytes } from './datatypes.ts';
import type { OpenOutput, ToWorker } from './messages.ts';
import type { BatchOutputs, OutputRows } from './outputs.ts';

interface Prepared {
  readonly capacity: number;
  readonly layout: BatchLayout;
  readonly targets: readonly Uint8Array[];
}

/** A buffer above this size that stays mostly empty is given back. */
const keptBytes = 4 << 20;
/** Batches in a row that need less than an eighth of a buffer before it is given back. */
const patience = 64;

/** One place for a batch: a buffer shared with the worker, and the views of it that were used last. */
export class BatchSlot {
  readonly index: number;
  #memory = new SharedArrayBuffer(0);
  #bufferId = 0;
  #small = 0;
  /** The last `prepare` got new memory: all of it is zero. */
  isZero = false;
  readonly #prepared = new Map<BatchPlan, Prepared>();
  #layout: BatchLayout | undefined;

  constructor(index: number) {
    this.index = index;
  }

  /** Names the buffer to the worker: another number than any buffer that is in use has. */
  get bufferId(): number {
    return this.#bufferId;
  }

  get bytes(): number {
    return this.#memory.byteLength;
  }

  /**
   * Makes room for a batch of up to `capacity` rows and gives, by input, where rows are to be written: all of it, from the
   * first row on; for BYTES as much as `stringBytes` says.
   * @throws SluiceError resource-exhausted when there is no memory for it; the slot can take other batches
   */
  prepare(
    plan: BatchPlan,
    capacity: number,
    stringBytes: readonly number[],
    post: (message: ToWorker) => void,
  ): readonly Uint8Array[] {
    const kept = this.#kept(plan, capacity);
    const layout = kept?.layout ?? layoutOf(plan, capacity, stringBytes);
    this.#fit(layout.totalBytes, post);
    // Another buffer than before forgets what was prepared in it.
    if (kept && this.#kept(plan, capacity)) return this.#lay(kept);
    return this.#lay(this.#make(plan, capacity, layout, stringBytes));
  }

  /** Whether such a batch has room in the buffer that there is. */
  fits(plan: BatchPlan, capacity: number, stringBytes: readonly number[]): boolean {
    return hasFixedLayout(plan) || layoutOf(plan, capacity, stringBytes).totalBytes <= this.bytes;
  }

  /** Room for the same batch with fewer rows, in the same buffer: nothing is posted. */
  prepareAgain(plan: BatchPlan, capacity: number, stringBytes: readonly number[]): readonly Uint8Array[] {
    const kept = this.#kept(plan, capacity);
    return this.#lay(kept ?? this.#make(plan, capacity, layoutOf(plan, capacity, stringBytes), stringBytes));
  }

  /** What was prepared for batches of this plan: only where rows have the same room in every batch. */
  #kept(plan: BatchPlan, capacity: number): Prepared | undefined {
    const kept = this.#prepared.get(plan);
    return kept?.capacity === capacity ? kept : undefined;
  }

  #lay({ layout, targets }: Pick<Prepared, 'layout' | 'targets'>): readonly Uint8Array[] {
    this.#layout = layout;
    return targets;
  }

  #make(plan: BatchPlan, capacity: number, layout: BatchLayout, stringBytes: readonly number[]): Prepared {
    const fixed = hasFixedLayout(plan);
    if (!fixed) new Uint32Array(this.#memory, 0, plan.inputs.length).set(stringBytes);
    const targets = plan.inputs.map((input, index) => {
      const bytes = input.datatype === 'BYTES' ? (stringBytes[index] ?? 0) : capacity * rowBytes(input);
      return new Uint8Array(this.#memory, layout.inputs[index], bytes);
    });
    const made = { capacity, layout, targets };
    if (fixed) {
      if (this.#prepared.size >= 16) this.#prepared.clear();
      this.#prepared.set(plan, made);
    }
    return made;
  }

  #fit(bytes: number, post: (message: ToWorker) => void): void {
    const size = this.#memory.byteLength;
    this.#small = size > keptBytes && bytes < size / 8 ? this.#small + 1 : 0;
    this.isZero = false;
    if (bytes <= size && this.#small < patience) return;
    // Before anything is forgotten: without the memory, the slot stays as it was.
    const memory = allocate(bytes);
    this.#small = 0;
    this.#prepared.clear();
    if (size > 0) post({ kind: 'forget-buffer', id: this.#bufferId });
    this.#memory = memory;
    this.isZero = true;
    // The slots of a session count in steps of their number, so that no two name one buffer alike.
    this.#bufferId = size > 0 ? (this.#bufferId + slotsPerSession) | 0 : this.index + 1;
    post({ kind: 'buffer', id: this.#bufferId, memory: this.#memory });
  }

  /** The outputs of the batch that was prepared last, or why they cannot be split into its rows. */
  outputs(plan: BatchPlan, rows: number, open: readonly (OpenOutput | undefined)[]): BatchOutputs | SluiceError {
    const outputs: OutputRows[] = [];
    for (const [index, output] of plan.outputs.entries()) {
      const result = open[index];
      const { name, datatype } = output;
      if (result) {
        if (plan.batched && result.dims[0] !== rows) return wrongRows(name, result.dims, rows);
        const dims = plan.batched ? result.dims.slice(1) : result.dims;
        const perRow = result.rowStarts ? -1 : elementCount(dims) * elementBytes(datatype);
        outputs.push({ name, datatype, dims, bytes: result.bytes, rowBytes: perRow, rowStarts: result.rowStarts });
        continue;
      }
      const dims = output.dims ?? [];
      const perRow = rowBytes({ datatype, dims });
      const bytes = new Uint8Array(this.#memory, this.#layout!.outputs[index], perRow * rows);
      outputs.push({ name, datatype, dims, bytes, rowBytes: perRow, rowStarts: undefined });
    }
    return { rows, outputs };
  }
}

function allocate(bytes: number): SharedArrayBuffer {
  try {
    return new SharedArrayBuffer(bytes);
  } catch (error) {
    const message = `there is no memory for a batch of ${bytes} bytes; send fewer or smaller rows, or push the version with a smaller max_batch_size`;
    throw new SluiceError('resource-exhausted', message, { cause: error });
  }
}

function wrongRows(name: string, dims: readonly number[], rows: number): SluiceError {
  return new SluiceError(
    'internal',
    `output "${name}" has shape [${dims.join(', ')}] for a batch of ${rows} rows; its first dimension must be the batch`,
  );
}
