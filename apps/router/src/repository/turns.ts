import { SluiceError } from '@sluice/domain/errors';

/** Lets the loads and unloads of one model happen one after the other, so that equal ones find what the first made. */
export class Turns {
  readonly #limit: number;
  readonly #last = new Map<string, Promise<unknown>>();
  #count = 0;

  /** @param limit how many may be under way or wait, over all models: each may hold a message of files */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Runs `work` after all that came before it for the same key.
   * @throws SluiceError resource-exhausted when too many are under way
   */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#count >= this.#limit) {
      const message = `${this.#limit} loads and unloads are under way; try again when some have ended`;
      throw new SluiceError('resource-exhausted', message, { retryAfterMs: 1_000 });
    }
    this.#count++;
    const before = this.#last.get(key);
    const mine = (async () => {
      await before?.catch(() => undefined);
      return work();
    })();
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      this.#count--;
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
