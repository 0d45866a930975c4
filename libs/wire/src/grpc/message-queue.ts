/** Octets of other things that a message may keep alive with it, beside as many as it has itself. */
const mostBeside = 128;

/** Whether a message keeps alive little but itself. */
export const isByItself = (octets: Buffer): boolean => 2 * octets.length + mostBeside >= octets.buffer.byteLength;

/** The message, copied where it would keep others alive, for which nobody waits any more. */
export const byItself = (octets: Buffer): Buffer => (isByItself(octets) ? octets : Buffer.from(octets));

/** Places of messages that were taken, before the others are moved. */
const mostTaken = 256;

/**
 * Messages that wait for their reader, the oldest first. Taking one takes the same short time however many wait: an array
 * moves all others for each, and a window has room for a hundred thousand small ones.
 */
export class MessageQueue<Message = Buffer> {
  #messages: (Message | undefined)[] = [];
  #taken = 0;

  get size(): number {
    return this.#messages.length - this.#taken;
  }

  push(message: Message): void {
    this.#messages.push(message);
  }

  /** @returns undefined when there is none */
  shift(): Message | undefined {
    const message = this.#messages[this.#taken];
    if (message === undefined) return undefined;
    // Its octets may go while others still wait.
    this.#messages[this.#taken++] = undefined;
    if (this.size === 0) this.clear();
    else if (this.#taken >= mostTaken && this.#taken >= this.size) {
      this.#messages = this.#messages.slice(this.#taken);
      this.#taken = 0;
    }
    return message;
  }

  clear(): void {
    if (this.#messages.length > 0) this.#messages = [];
    this.#taken = 0;
  }
}
