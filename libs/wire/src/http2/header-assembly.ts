import { ConnectionError } from '../errors.ts';
import type { ConnectionLimits } from './limits.ts';

/** A header block of which CONTINUATION frames are still to come. */
export class HeaderAssembly {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly startedMs: number;
  readonly #limits: ConnectionLimits;
  readonly #pieces: Buffer[] = [];
  #octets = 0;
  #frames = 0;

  constructor(limits: ConnectionLimits, begins: { streamId: number; endStream: boolean; nowMs: number }) {
    this.#limits = limits;
    this.streamId = begins.streamId;
    this.endStream = begins.endStream;
    this.startedMs = begins.nowMs;
  }

  /** @throws ConnectionError when the block is longer than allowed, or in too many pieces */
  add(from: Buffer, start: number, end: number): void {
    this.#octets += end - start;
    checkBlock(this.#octets, this.#limits);
    // The frame that began it is none of those that are counted.
    if (this.#frames++ > this.#limits.maxContinuations)
      throw new ConnectionError('ENHANCE_YOUR_CALM', `a header block in over ${this.#limits.maxContinuations} pieces`);
    this.#pieces.push(Buffer.from(from.subarray(start, end)));
  }

  whole(): Buffer {
    return Buffer.concat(this.#pieces, this.#octets);
  }
}

/** @throws ConnectionError when a block has so many octets that it is not decoded, which ends what the tables of both sides agree on */
export function checkBlock(octets: number, limits: ConnectionLimits): void {
  if (octets > limits.maxHeaderBlock)
    throw new ConnectionError('ENHANCE_YOUR_CALM', `a header block of over ${limits.maxHeaderBlock} octets`);
}
