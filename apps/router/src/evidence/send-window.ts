/** Bytes that are sent and not acknowledged, and how many may be. */
export class SendWindow {
  readonly #sent: { readonly position: number; readonly bytes: number }[] = [];
  #underWay = 0;
  /** Nothing may be sent before the other side has said how much it takes. */
  #limit = 0;
  #isClosed = false;
  #waiter: ((isOpen: boolean) => void) | undefined;

  /** Bytes that are under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** @param limit bytes that may be under way; one block may go whatever its size */
  open(limit: number): void {
    this.#limit = Math.max(1, limit);
    this.#wake();
  }

  /** There is room for another block. */
  get isOpen(): boolean {
    return !this.#isClosed && this.#underWay < this.#limit;
  }

  sent(position: number, bytes: number): void {
    this.#sent.push({ position, bytes });
    this.#underWay += bytes;
  }

  /** All up to a position has arrived. */
  acknowledge(position: number): void {
    let done = 0;
    for (; done < this.#sent.length && this.#sent[done]!.position <= position; done++)
      this.#underWay -= this.#sent[done]!.bytes;
    this.#sent.splice(0, done);
    this.#wake();
  }

  /** Whoever waits is told that there will be no room. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Ends when there is room for another block, with true; with false when it was closed. One call at a time. */
  hasRoom(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiter = resolve;
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#waiter === undefined || !(this.#isClosed || this.isOpen)) return;
    this.#waiter(!this.#isClosed);
    this.#waiter = undefined;
  }
}
