import type { RequestPart } from '@sluice/batching/contract';
import { copyInput } from '@sluice/inference/infer-request';
import { materialise } from '@sluice/inference/sliced-input';
import { elementCount, rowBytes, type BatchPlan, type InputPlan } from '../runtime/batch-plan.ts';
import type { InferJob } from './infer-job.ts';

type Part = RequestPart<InferJob>;

/**
 * Puts the rows of a batch's parts into its input buffers, each input copied once, from the message to its place. Only a
 * request that is split is decoded beside it, once for all of its parts.
 */
export class BatchFill {
  /** By input: the bytes that its strings take; 0 for other datatypes. */
  readonly stringBytes: readonly number[];
  readonly #plan: BatchPlan;
  readonly #parts: readonly Part[];
  /** Rows behind those of the parts, that nobody asked for: the last row again, since a model takes that as well as it did. */
  readonly #padding: number;
  /** The last part that has rows. */
  readonly #last: Part | undefined;

  /** @param rows of the batch, padding included */
  constructor(plan: BatchPlan, parts: readonly Part[], rows: number) {
    this.#plan = plan;
    this.#parts = parts;
    const last = parts.findLast((part) => part.rows > 0);
    this.#last = last;
    this.#padding = plan.batched && last ? rows - last.batchRow - last.rows : 0;
    this.stringBytes = plan.inputs.map((input, index) => (input.datatype === 'BYTES' ? this.#measure(index) : 0));
  }

  #measure(index: number): number {
    const elements = elementCount(this.#plan.inputs[index]!.dims);
    let bytes = 0;
    for (const part of this.#parts) {
      const input = part.request.request.inputs[index]!;
      const from = part.requestRow * elements;
      bytes += this.#isWhole(part)
        ? input.byteLength
        : materialise(input).byteLength(from, from + part.rows * elements);
    }
    return bytes + this.#padding * this.#lastRowBytes(index);
  }

  #isWhole(part: Part): boolean {
    return !this.#plan.batched || part.rows === part.request.rows;
  }

  /** Writes all rows; `targets` has the room of each input, from its first row on. */
  write(targets: readonly Uint8Array[]): void {
    for (let index = 0; index < targets.length; index += 1) {
      this.#writeInput(index, this.#plan.inputs[index]!, targets[index]!);
    }
  }

  #writeInput(index: number, plan: InputPlan, target: Uint8Array): void {
    const elements = elementCount(plan.dims);
    const bytesPerRow = plan.datatype === 'BYTES' ? undefined : rowBytes(plan);
    let at = 0;
    for (const part of this.#parts) {
      const input = part.request.request.inputs[index]!;
      if (bytesPerRow !== undefined) at = this.#plan.batched ? part.batchRow * bytesPerRow : 0;
      const from = part.requestRow * elements;
      at += this.#isWhole(part)
        ? copyInput(input, target, at)
        : materialise(input).copy(target, at, from, from + part.rows * elements);
    }
    if (this.#padding === 0) return;
    const row = bytesPerRow ?? this.#lastRowBytes(index);
    for (let copy = 0; copy < this.#padding; copy += 1) target.copyWithin(at + copy * row, at - row, at);
  }

  /** Bytes of the last row of a BYTES input. */
  #lastRowBytes(index: number): number {
    const last = this.#last;
    if (this.#padding === 0 || !last) return 0;
    const elements = elementCount(this.#plan.inputs[index]!.dims);
    const end = (last.requestRow + last.rows) * elements;
    return materialise(last.request.request.inputs[index]!).byteLength(end - elements, end);
  }
}
