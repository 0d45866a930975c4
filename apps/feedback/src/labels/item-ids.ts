import { randomBytes } from 'node:crypto';

const atOnce = 256;
const randomBytesOfId = 10;
/** Twenty bits behind the time, around those of version and variant, count the ids of one millisecond. */
const mostNumber = 0xf_ffff;

/**
 * Ids of labels and feedback: UUIDs of version 7, so that those of one time lie together in indexes. Those that one process makes rise: of
 * two labels that were recorded at the same time the one with the higher id counts, and that has to be the one that stood last.
 */
export class ItemIds {
  #pool = Buffer.alloc(0);
  #ms = 0;
  #number = 0;
  readonly #mostNumber: number;

  /** @param most the last number that a millisecond has, at most 20 bits of it */
  constructor(most = mostNumber) {
    this.#mostNumber = most;
  }

  /** @param ms the time that it carries, or a later one that an earlier id had */
  next(ms: number): string {
    this.#count(Math.floor(ms));
    if (this.#pool.length === 0) this.#pool = randomBytes(randomBytesOfId * atOnce);
    const own = this.#pool.subarray(0, randomBytesOfId);
    this.#pool = this.#pool.subarray(randomBytesOfId);
    own[0] = 0x70 | (this.#number >> 16);
    own[1] = this.#number >> 8;
    // Behind the two bits of the variant.
    own[2] = 0x80 | ((this.#number >> 2) & 0x3f);
    own[3] = (own[3]! & 0x3f) | (this.#number << 6);
    const hex = this.#ms.toString(16).padStart(12, '0') + own.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  #count(ms: number): void {
    if (ms > this.#ms) [this.#ms, this.#number] = [ms, 0];
    else if (this.#number < this.#mostNumber) this.#number += 1;
    else [this.#ms, this.#number] = [this.#ms + 1, 0];
  }
}
