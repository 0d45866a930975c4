import type { RequestPart } from '@sluice/batching/contract';
import { encodeStrings } from '@sluice/inference/bytes-tensor';
import { copyInput, inputStrings, type InferInput } from '@sluice/inference/infer-request';
import { elementCount, rowBytes, type BatchPlan } from '../runtime/batch-plan.ts';
import type { InferJob } from './infer-job.ts';

type Part = RequestPart<InferJob>;

/** Rows of a BYTES input that belong to one part of a split request, in raw form. */
function stringRows(input: InferInput, part: Part, elements: number): Uint8Array {
  const from = part.requestRow * elements;
  return encodeStrings(inputStrings(input).slice(from, from + part.rows * elements));
}

/**
 * Puts the rows of a batch's parts into its input buffers. Tensors of fixed-size elements are copied once, from the
 * message to their place; so are strings, unless their request was split.
 */
export class BatchFill {
  /** By input: the bytes that its strings take; 0 for other datatypes. */
  readonly stringBytes: readonly number[];
  readonly #plan: BatchPlan;
  readonly #parts: readonly Part[];
  /** Strings of split requests, encoded to be measured; by `input * parts + part`. */
  readonly #encoded = new Map<number, Uint8Array>();

  constructor(plan: BatchPlan, parts: readonly Part[]) {
    this.#plan = plan;
    this.#parts = parts;
    this.stringBytes = plan.inputs.map((input, index) => (input.datatype === 'BYTES' ? this.#measure(index) : 0));
  }

  #measure(index: number): number {
    let bytes = 0;
    for (const [number, part] of this.#parts.entries()) {
      const input = part.request.request.inputs[index]!;
      if (part.rows === part.request.rows || !this.#plan.batched) {
        bytes += input.byteLength;
        continue;
      }
      const encoded = stringRows(input, part, elementCount(this.#plan.inputs[index]!.dims));
      this.#encoded.set(index * this.#parts.length + number, encoded);
      bytes += encoded.byteLength;
    }
    return bytes;
  }

  /** Writes all rows; `targets` has the room of each input, from its first row on. */
  write(targets: readonly Uint8Array[]): void {
    for (let index = 0; index < targets.length; index += 1) {
      const plan = this.#plan.inputs[index]!;
      if (plan.datatype === 'BYTES') this.#writeStrings(index, targets[index]!);
      else this.#writeRows(index, targets[index]!, elementCount(plan.dims), rowBytes(plan));
    }
  }

  #writeRows(index: number, target: Uint8Array, elements: number, bytes: number): void {
    for (const part of this.#parts) {
      const input = part.request.request.inputs[index]!;
      if (!this.#plan.batched) copyInput(input, target, 0);
      else {
        const from = part.requestRow * elements;
        copyInput(input, target, part.batchRow * bytes, from, from + part.rows * elements);
      }
    }
  }

  #writeStrings(index: number, target: Uint8Array): void {
    let at = 0;
    for (const [number, part] of this.#parts.entries()) {
      const encoded = this.#encoded.get(index * this.#parts.length + number);
      if (encoded) {
        target.set(encoded, at);
        at += encoded.byteLength;
      } else {
        at += copyInput(part.request.request.inputs[index]!, target, at);
      }
    }
  }
}
