import { SluiceError } from '@sluice/domain/errors';
import type { Logger } from '@sluice/service-kit/logger';

/** What is drained: the spool. */
export interface DrainedSpool {
  readonly status: { readonly position: number };
  /** Ends when no block up to a position can be read any more. */
  drained(position: number): Promise<void>;
}

/** Orders to erase, as far as a stream tells feedback of them. */
export interface FollowedErasures {
  /** Number of the last order that was followed; 0 for none. */
  readonly applied: number;
  /** Calls whenever that changes, until what it returns is called. */
  onApplied(listener: () => void): () => void;
}

export interface ErasureDrainOptions {
  readonly spool: DrainedSpool;
  /** Puts records that are not in the spool yet there. */
  readonly flush: () => void;
  readonly logger: Logger;
}

/**
 * Follows orders to erase: what lay in the spool when feedback told of one is sent, acknowledged, and deleted with its key. Feedback keeps
 * nothing of it that the order is about.
 */
export class ErasureDrain implements FollowedErasures {
  readonly #options: ErasureDrainOptions;
  readonly #listeners = new Set<() => void>();
  #wanted = 0;
  #applied = 0;
  #isRunning = false;
  /** Counts those that it was told by. */
  #database = 0;

  constructor(options: ErasureDrainOptions) {
    this.#options = options;
  }

  /** Number of the newest order that feedback told of. */
  get wanted(): number {
    return this.#wanted;
  }

  get applied(): number {
    return this.#applied;
  }

  onApplied(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Feedback told of the order with this number, and of all before it. */
  learn(number: number): void {
    if (number === this.#wanted) return;
    // One that knows fewer may have another database, whose orders are others.
    if (number < this.#wanted) {
      this.#applied = 0;
      this.#database++;
    }
    this.#wanted = number;
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    const { spool, flush, logger } = this.#options;
    this.#isRunning = true;
    try {
      while (this.#applied < this.#wanted) {
        const [number, database] = [this.#wanted, this.#database];
        flush();
        await spool.drained(spool.status.position);
        if (database !== this.#database) continue;
        this.#applied = number;
        logger.info({ erasure: number }, 'the spool has nothing any more from before an order to erase');
        for (const tell of this.#listeners) tell();
      }
    } catch (error) {
      // The spool is closed: its next life is told again.
      if (SluiceError.from(error).kind !== 'unavailable')
        logger.warn({ err: error }, 'an order to erase cannot be followed');
    } finally {
      this.#isRunning = false;
    }
  }
}
