import type { Leases } from '../usecases/records.ts';
import type { DesiredState } from './desired-state.ts';

/** What every watcher of this replica looks at. */
export interface Published {
  /** Rises with every publication. */
  readonly sequence: number;
  /** Undefined until it was read once. */
  readonly desired: DesiredState | undefined;
  readonly leases: Leases | undefined;
}

/**
 * One reader publishes, any number of watchers look: each holds only its own position and reads the newest value when
 * it is ready for it, so that a slow one skips what is in between and costs nothing while it waits.
 */
export class WatchHub {
  #published: Published = { sequence: 0, desired: undefined, leases: undefined };
  readonly #waiting = new Set<() => void>();

  get current(): Published {
    return this.#published;
  }

  /** Watchers that wait for a change now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  publish(change: { readonly desired?: DesiredState; readonly leases?: Leases }): void {
    this.#published = { ...this.#published, ...change, sequence: this.#published.sequence + 1 };
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves once something newer than `sequence` is published, at once when it is already, or when aborted. */
  async newerThan(sequence: number, signal: AbortSignal): Promise<void> {
    if (this.#published.sequence > sequence || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
