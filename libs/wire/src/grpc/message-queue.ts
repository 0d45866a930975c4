const nothing = Buffer.alloc(0);
/** Places of messages that were taken, before the others are moved. */
const mostTaken = 256;

/**
 * Messages that wait for their reader, the oldest first. Taking one takes the same short time however many wait: an array
 * moves all others for each, and a window has room for a hundred thousand small ones.
 */
export class MessageQueue {
  #messages: Buffer[] = [];
  #taken = 0;

  get size(): number {
    return this.#messages.length - this.#taken;
  }

  push(octets: Buffer): void {
    this.#messages.push(octets);
  }

  /** @returns undefined when there is none */
  shift(): Buffer | undefined {
    const octets = this.#messages[this.#taken];
    if (octets === undefined) return undefined;
    // Its octets may go while others still wait.
    this.#messages[this.#taken++] = nothing;
    if (this.size === 0) this.clear();
    else if (this.#taken >= mostTaken && this.#taken >= this.size) {
      this.#messages = this.#messages.slice(this.#taken);
      this.#taken = 0;
    }
    return octets;
  }

  clear(): void {
    if (this.#messages.length > 0) this.#messages = [];
    this.#taken = 0;
  }
}
