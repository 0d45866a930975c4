import { SluiceError } from '@sluice/domain/errors';

/**
 * Lets `width` pieces of work run at once; others wait in order, up to `mostWaiting`. Changes take turns in the database
 * anyway (the audit lock): those that wait here hold no connection while they do.
 */
export class Turns {
  readonly #width: number;
  readonly #mostWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(width: number, mostWaiting: number) {
    this.#width = width;
    this.#mostWaiting = mostWaiting;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs `work` in its turn; `resource-exhausted` when too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width) await this.#turn();
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The turn goes to whoever waited longest, or is free.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#mostWaiting) {
      throw new SluiceError('resource-exhausted', `${this.#mostWaiting} changes wait already; try again in a second`, {
        retryAfterMs: 1_000,
      });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
