import { SluiceError } from '@sluice/domain/errors';

/** Waits for what changes: the routes in force, and what runtimes have ready. */
export class Waiting {
  readonly #waiters = new Set<() => void>();

  /** To be called after every change. */
  changed(): void {
    for (const look of [...this.#waiters]) look();
  }

  /**
   * Resolves with what `look` finds, now or after a later change; undefined means not yet.
   *
   * @throws SluiceError what `look` throws, or the reason of `signal` when it aborts first
   */
  until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#waiters.delete(check);
        signal.removeEventListener('abort', stop);
      };
      const stop = (): void => {
        done();
        reject(SluiceError.from(signal.reason));
      };
      const check = (): void => {
        try {
          const found = look();
          if (found === undefined) return;
          done();
          resolve(found);
        } catch (error) {
          done();
          reject(SluiceError.from(error));
        }
      };
      if (signal.aborted) {
        stop();
        return;
      }
      signal.addEventListener('abort', stop);
      this.#waiters.add(check);
      check();
    });
  }
}
