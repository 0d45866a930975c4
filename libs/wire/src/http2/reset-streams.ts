/** Streams that were reset here and of which the peer may not know yet. */
const mostRemembered = 1024;

/** Which of the streams that are over were reset here: what still comes on them is no fault of the peer (RFC 9113, section 5.1). */
export class ResetStreams {
  #ids: Set<number> | undefined;
  /** Up to here it was forgotten which. */
  #forgotten = 0;

  add(id: number): void {
    this.#ids ??= new Set();
    this.#ids.add(id);
    if (this.#ids.size <= mostRemembered) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      this.#forgotten = Math.max(this.#forgotten, oldest);
      return;
    }
  }

  has(id: number): boolean {
    return id <= this.#forgotten || this.#ids?.has(id) === true;
  }
}
