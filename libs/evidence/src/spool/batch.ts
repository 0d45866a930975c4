import { frameOverhead } from './frame.ts';
import type { Segment } from './segment.ts';

const leastBytes = 64 * 1024;
const mostKept = 2 ** 20;

/** Frames that are written and synced together: one behind the other in one segment. */
export class Batch {
  readonly segment: Segment;
  readonly key: NonNullable<Segment['key']>;
  /** Where in the segment. */
  readonly at: number;
  /** Position of its last block; of the one before, when it has none. */
  last: number;
  blocks = 0;
  length = 0;
  #bytes: Buffer;

  constructor(segment: Segment, key: NonNullable<Segment['key']>, at: number, last: number, bytes: Buffer | undefined) {
    this.segment = segment;
    this.key = key;
    this.at = at;
    this.last = last;
    this.#bytes = bytes ?? Buffer.allocUnsafeSlow(leastBytes);
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  get end(): number {
    return this.at + this.length;
  }

  /** Its memory, for the next one; undefined when that grew large. */
  get memory(): Buffer | undefined {
    return this.#bytes.length <= mostKept ? this.#bytes : undefined;
  }

  /** Adds a frame; an empty block makes a mark. */
  add(position: number, timeMs: number, block: Uint8Array): void {
    const end = this.length + frameOverhead + block.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    this.key.seal(this.#bytes, this.length, position, timeMs, block);
    this.length = end;
    if (block.length === 0) return;
    this.last = position;
    this.blocks++;
  }
}
