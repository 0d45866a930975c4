import type { Clock, Random } from '@sluice/domain/clock';

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Ids made from one batch of random bytes. */
const batch = 256;
const randomBytes = 10;

/**
 * Makes prediction ids: UUIDs of version 7 (RFC 9562), so that they sort by time. Within one millisecond, and when the
 * clock goes back, a counter in the twelve bits after the time keeps them ascending.
 */
export class PredictionIds {
  readonly #clock: Clock;
  readonly #random: Random;
  #pool: Uint8Array = new Uint8Array(0);
  #used = 0;
  #lastMs = -1;
  #counter = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  next(): string {
    const bytes = this.#take();
    const now = Math.floor(this.#clock.now());
    if (now > this.#lastMs) {
      this.#lastMs = now;
      // Half of the counter's room is left, so that it seldom runs over into the time.
      this.#counter = ((bytes[0]! << 8) | bytes[1]!) & 0x7ff;
    } else if (++this.#counter > 0xfff) {
      this.#lastMs++;
      this.#counter = 0;
    }
    const high = Math.floor(this.#lastMs / 0x1_0000);
    const low = this.#lastMs % 0x1_0000;
    return (
      hex[(high >>> 24) & 0xff]! +
      hex[(high >>> 16) & 0xff]! +
      hex[(high >>> 8) & 0xff]! +
      hex[high & 0xff]! +
      '-' +
      hex[low >>> 8]! +
      hex[low & 0xff]! +
      '-' +
      hex[0x70 | (this.#counter >>> 8)]! +
      hex[this.#counter & 0xff]! +
      '-' +
      hex[0x80 | (bytes[2]! & 0x3f)]! +
      hex[bytes[3]!]! +
      '-' +
      hex[bytes[4]!]! +
      hex[bytes[5]!]! +
      hex[bytes[6]!]! +
      hex[bytes[7]!]! +
      hex[bytes[8]!]! +
      hex[bytes[9]!]!
    );
  }

  #take(): Uint8Array {
    if (this.#used === this.#pool.length) {
      this.#pool = this.#random.bytes(batch * randomBytes);
      this.#used = 0;
    }
    this.#used += randomBytes;
    return this.#pool.subarray(this.#used - randomBytes, this.#used);
  }
}
