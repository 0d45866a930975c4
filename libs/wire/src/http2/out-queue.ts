/** Of a block in which small writes are gathered. */
const blockOctets = 64 * 1024;
/** Blocks that are kept for others when nobody needs them. */
const mostSpare = 32;
/** What is longer is not copied into a block, but handed over as it is. */
export const mostCopied = 8 * 1024;

const spare: Buffer[] = [];

const newBlock = (): Buffer => spare.pop() ?? Buffer.allocUnsafeSlow(blockOctets);

/**
 * Octets on their way to a socket. Small ones are gathered in blocks that all connections share, so that a connection with nothing to write has
 * none. What is taken is the socket's until it says that it is done with it.
 */
export class OutQueue {
  #pieces: Buffer[] = [];
  #blocks: Buffer[] = [];
  #block: Buffer | undefined;
  #from = 0;
  #at = 0;
  #waiting = 0;
  #counted = 0;
  /** Blocks of what the socket has now. */
  #lent: Buffer[] = [];

  /** Octets that were not taken yet. */
  get octets(): number {
    return this.#waiting;
  }

  /** Those of them that count nowhere else. */
  get uncounted(): number {
    return this.#waiting - this.#counted;
  }

  /** So many of the octets that were appended are of a message that counts as waiting. */
  count(octets: number): void {
    this.#counted += octets;
  }

  /**
   * Room for so many octets, to be written before anything else is called here.
   * @param octets far fewer than a block has
   * @returns the block; they go to where `claim` has said
   */
  room(octets: number): Buffer {
    if (this.#block === undefined || this.#at + octets > blockOctets) {
      this.#endPiece();
      this.#block = newBlock();
      this.#blocks.push(this.#block);
      this.#from = this.#at = 0;
    }
    return this.#block;
  }

  /** @returns where the octets begin that `room` made room for; they count as written */
  claim(octets: number): number {
    const at = this.#at;
    this.#at += octets;
    this.#waiting += octets;
    return at;
  }

  /** @param octets nobody changes them until they are sent */
  append(octets: Uint8Array, start = 0, end = octets.length): void {
    const count = end - start;
    if (count === 0) return;
    if (count > mostCopied) {
      this.#endPiece();
      this.#pieces.push(Buffer.from(octets.buffer, octets.byteOffset + start, count));
      this.#waiting += count;
      return;
    }
    const block = this.room(count);
    const at = this.claim(count);
    if (count < 64) for (let index = 0; index < count; index++) block[at + index] = octets[start + index]!;
    else block.set(start === 0 && end === octets.length ? octets : octets.subarray(start, end), at);
  }

  /** Everything that waits, in its order. Call `done` when it is sent, before the next. */
  take(): Buffer[] {
    this.#endPiece();
    const pieces = this.#pieces;
    this.#lent.push(...this.#blocks);
    this.#pieces = [];
    this.#blocks = [];
    this.#block = undefined;
    this.#waiting = this.#counted = 0;
    return pieces;
  }

  /** What was taken is sent, or never will be. */
  done(): void {
    for (const block of this.#lent) if (spare.length < mostSpare) spare.push(block);
    this.#lent = [];
  }

  #endPiece(): void {
    if (this.#block !== undefined && this.#at > this.#from)
      this.#pieces.push(this.#block.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }
}
