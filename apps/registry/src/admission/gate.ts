import { unavailable } from '@sluice/domain/errors';
import { cancelled } from './cancelled.ts';

interface Waiter {
  enter(): void;
  refuse(error: Error): void;
}

/** Lets at most `width` work at once; the others wait in order. */
export class Gate {
  readonly #width: number;
  readonly #waiting: Waiter[] = [];
  #inside = 0;
  #closed = false;

  constructor(width: number) {
    this.#width = width;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get inside(): number {
    return this.#inside;
  }

  /** Runs `work` when there is room. `cancelled` when the signal comes first, `unavailable` once closed. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      this.#admitNext();
    }
  }

  /** Refuses those who wait and all who come. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(stopping());
  }

  #enter(signal: AbortSignal | undefined): Promise<void> {
    if (this.#closed) return Promise.reject(stopping());
    if (signal?.aborted) return Promise.reject(cancelled());
    if (this.#inside < this.#width) {
      this.#inside += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(cancelled());
      };
      const waiter: Waiter = {
        enter: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
        refuse: (error) => {
          signal?.removeEventListener('abort', leave);
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #admitNext(): void {
    const next = this.#closed || this.#inside >= this.#width ? undefined : this.#waiting.shift();
    if (!next) return;
    this.#inside += 1;
    next.enter();
  }
}

const stopping = () => unavailable('the registry is stopping; the admission goes on when it is back');
