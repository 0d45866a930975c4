import { SluiceError } from '@sluice/domain/errors';
import { elementCount, hasFixedLayout, layoutOf, rowBytes, type BatchLayout, type BatchPlan } from './batch-plan.ts';
import { slotsPerSession } from './control-block.ts';
import { elementBytes } from './datatypes.ts';
import type { OpenOutput, ToWorker } from './messages.ts';
import type { BatchOutputs, OutputRows } from './outputs.ts';

interface Prepared {
  readonly capacity: number;
  readonly rows: number;
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
   * Makes room for a batch and gives, by input, where its rows are to be written.
   * @throws SluiceError resource-exhausted when there is no memory for it; the slot can take other batches
   */
  prepare(
    plan: BatchPlan,
    capacity: number,
    rows: number,
    stringBytes: readonly number[],
    post: (message: ToWorker) => void,
  ): readonly Uint8Array[] {
    const fixed = hasFixedLayout(plan);
    const kept = fixed ? this.#prepared.get(plan) : undefined;
    if (kept?.capacity === capacity && kept.rows === rows) {
      this.#fit(kept.layout.totalBytes, post);
      // Giving a large buffer back forgets what was prepared in it.
      if (this.#prepared.has(plan)) {
        this.#layout = kept.layout;
        return kept.targets;
      }
    }
    const layout = layoutOf(plan, capacity, stringBytes);
    this.#fit(layout.totalBytes, post);
    this.#layout = layout;
    if (!fixed) new Uint32Array(this.#memory, 0, plan.inputs.length).set(stringBytes);
    const targets = plan.inputs.map((input, index) => {
      const bytes = input.datatype === 'BYTES' ? (stringBytes[index] ?? 0) : rows * rowBytes(input);
      return new Uint8Array(this.#memory, layout.inputs[index], bytes);
    });
    if (fixed) {
      if (this.#prepared.size >= 16) this.#prepared.clear();
      this.#prepared.set(plan, { capacity, rows, layout, targets });
    }
    return targets;
  }

  #fit(bytes: number, post: (message: ToWorker) => void): void {
    const size = this.#memory.byteLength;
    this.#small = size > keptBytes && bytes < size / 8 ? this.#small + 1 : 0;
    if (bytes <= size && this.#small < patience) return;
    // Before anything is forgotten: without the memory, the slot stays as it was.
    const memory = allocate(bytes);
    this.#small = 0;
    this.#prepared.clear();
    if (size > 0) post({ kind: 'forget-buffer', id: this.#bufferId });
    this.#memory = memory;
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
