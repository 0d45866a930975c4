import { elementOffsets } from './bytes-tensor.ts';
import { copyBytes } from './copy-bytes.ts';
import { copyInput } from './infer-request.ts';
import type { InferInput } from './infer-request.ts';

/** An input whose elements are found without reading those before them. Elements are counted from 0. */
export interface SlicedInput {
  /** Bytes that elements `from` to `to` (exclusive) take in raw form. Takes constant time. */
  byteLength(from: number, to: number): number;
  /**
   * Writes elements `from` to `to` (exclusive) in raw little-endian form at `offset` of `dest` and returns the bytes
   * written. Takes time in proportion to these bytes, wherever the elements lie.
   * @throws RangeError when the elements do not exist or do not fit `dest`
   */
  copy(dest: Uint8Array, offset: number, from: number, to: number): number;
}

class RawElements implements SlicedInput {
  readonly #raw: Uint8Array;
  readonly #elements: number;
  /** Where each BYTES element starts, and where the last ends; undefined for elements of one size. */
  readonly #offsets: Uint32Array | undefined;
  readonly #size: number;

  constructor(input: InferInput, raw: Uint8Array) {
    this.#raw = raw;
    this.#elements = input.elements;
    this.#offsets = input.datatype === 'BYTES' ? elementOffsets(raw, input.elements) : undefined;
    this.#size = input.elements === 0 ? 0 : raw.byteLength / input.elements;
  }

  byteLength(from: number, to: number): number {
    return this.#at(to) - this.#at(from);
  }

  copy(dest: Uint8Array, offset: number, from: number, to: number): number {
    if (!(from >= 0 && from <= to && to <= this.#elements)) {
      throw new RangeError(`elements ${from} to ${to} are not within 0 to ${this.#elements}`);
    }
    const bytes = this.byteLength(from, to);
    if (offset < 0 || offset + bytes > dest.length) throw new RangeError('the elements do not fit the destination');
    copyBytes(this.#raw.subarray(this.#at(from), this.#at(to)), dest, offset);
    return bytes;
  }

  #at(element: number): number {
    return this.#offsets ? this.#offsets[element]! : element * this.#size;
  }
}

/** The raw form of an input: the bytes that came, or those that its typed contents become. */
function rawForm(input: InferInput): Uint8Array {
  if (input.raw) return input.raw;
  const raw = new Uint8Array(input.byteLength);
  copyInput(input, raw, 0);
  return raw;
}

const known = new WeakMap<InferInput, SlicedInput>();

/**
 * Prepares an input for being copied in parts: typed contents are decoded into their raw form and the elements of BYTES
 * are located, once. Asking again for the same input gives the same object, so that a request that is split into any
 * number of parts is decoded once; what was prepared lives as long as the input. Raw elements of one size need neither
 * time nor memory; typed contents need `input.byteLength` bytes, BYTES four bytes for each element more. An input that is
 * copied as a whole, once, is cheaper with `copyInput`.
 */
export function materialise(input: InferInput): SlicedInput {
  let sliced = known.get(input);
  if (!sliced) {
    sliced = new RawElements(input, rawForm(input));
    known.set(input, sliced);
  }
  return sliced;
}
