export interface InflatingParts {
  /** What a message cannot be taken for; nobody else is there to throw to. */
  readonly failed: (error: unknown) => void;
  /** None is left. */
  readonly idle: () => void;
}

/** Messages that are inflated one after the other. */
export class Inflating {
  readonly #parts: InflatingParts;
  #last: Promise<void> | undefined;

  constructor(parts: InflatingParts) {
    this.#parts = parts;
  }

  /** Some are not done. */
  get isBusy(): boolean {
    return this.#last !== undefined;
  }

  /**
   * Starts when those before it are done.
   * @param start gives the message, at once or later
   * @throws what `start` throws, where it starts now
   */
  add(start: () => Buffer | Promise<Buffer>, take: (octets: Buffer) => void): void {
    const inflated = this.#last === undefined ? start() : this.#last.then(start);
    if (inflated instanceof Promise) this.#wait(inflated.then(take));
    else take(inflated);
  }

  #wait(taken: Promise<void>): void {
    const { failed, idle } = this.#parts;
    const done = taken.catch(failed);
    this.#last = done;
    void done
      .then(() => {
        if (this.#last !== done) return;
        this.#last = undefined;
        idle();
      })
      .catch(failed);
  }
}
