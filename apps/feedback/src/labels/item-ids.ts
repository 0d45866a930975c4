import { randomBytes } from 'node:crypto';

const atOnce = 256;

/** Ids of labels and feedback: UUIDs of version 7, so that those of one time lie together in indexes. */
export class ItemIds {
  #pool = Buffer.alloc(0);

  /** @param ms the time that it carries */
  next(ms: number): string {
    if (this.#pool.length === 0) this.#pool = randomBytes(10 * atOnce);
    const own = this.#pool.subarray(0, 10);
    this.#pool = this.#pool.subarray(10);
    own[0] = 0x70 | (own[0]! & 0x0f);
    own[2] = 0x80 | (own[2]! & 0x3f);
    const hex = Math.floor(ms).toString(16).padStart(12, '0') + own.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }
}
