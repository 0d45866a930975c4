import { createHash } from 'node:crypto';

/** Small: transports hold some messages of whoever reads slowly. */
const chunkBytes = 64 * 1024;

/** Takes the bytes of a file and gives them on in chunks, with what is to be said of all of them. */
export class Chunks {
  readonly #hash = createHash('sha256');
  #waiting: Uint8Array[] = [];
  #bytes = 0;

  /** Of the file so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Copies the bytes: their writer may use the memory again. */
  readonly sink = (bytes: Uint8Array): void => {
    const own = Uint8Array.from(bytes);
    this.#hash.update(own);
    this.#bytes += own.length;
    for (let at = 0; at < own.length; at += chunkBytes) this.#waiting.push(own.subarray(at, at + chunkBytes));
  };

  /** What has come since the last call. */
  take(): readonly Uint8Array[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** SHA-256 of all in hex; once, at the end. */
  digest(): string {
    return this.#hash.digest('hex');
  }
}
