import type { Clock, Timer } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import { logOutage } from '@sluice/service-kit/outage';

export interface LeaseKeeperOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the registry is asked for, in milliseconds; it may give another. Renewed every third of it. */
  readonly ttlMs: number;
  /** Revision of the table that requests are routed by; undefined while there is none, and then there is no lease. */
  readonly appliedRevision: () => number | undefined;
  /** Tells the registry; resolves to the time to live that it gave. */
  readonly renew: (appliedRevision: number, ttlMs: number) => Promise<number>;
  readonly release: () => Promise<void>;
}

/**
 * Keeps the router's lease: renews it every third of its time to live, and at once when another table applies, since
 * `alias set` waits for that. After a failure it tries again sooner: one renewal that takes its whole time, and another
 * one at the next replica, fit into what is left of the lease.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #ttlMs: number;
  #timer: Timer | undefined;
  #renewing: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #failed = false;
  #held = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#ttlMs = options.ttlMs;
  }

  /** True when the last renewal succeeded. */
  get held(): boolean {
    return this.#held;
  }

  /** Renews now; when a renewal is under way, once more after it, because that one tells of an older table. */
  renew(): void {
    if (this.#stopped) return;
    if (this.#renewing) {
      this.#again = true;
      return;
    }
    this.#timer?.cancel();
    this.#renewing = this.#renewOnce().finally(() => {
      this.#renewing = undefined;
      if (this.#stopped) return;
      if (this.#again) {
        this.#again = false;
        this.renew();
      } else this.#timer = this.#options.clock.schedule(this.#ttlMs / (this.#failed ? 9 : 3), () => this.renew());
    });
  }

  /** Ends the lease, so that nobody waits for this router; failing to is not worth a retry: it lapses by itself. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#renewing;
    if (!this.#held) return;
    this.#held = false;
    try {
      await this.#options.release();
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'the lease was not released; it lapses');
    }
  }

  async #renewOnce(): Promise<void> {
    const revision = this.#options.appliedRevision();
    if (revision === undefined) return;
    try {
      const ttlMs = await this.#options.renew(revision, this.#options.ttlMs);
      if (ttlMs > 0) this.#ttlMs = ttlMs;
      this.#held = true;
      if (this.#failed) this.#options.logger.info('the lease is renewed again');
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) logOutage(this.#options.logger, error, 'the lease cannot be renewed; trying on');
      this.#failed = true;
      this.#held = false;
    }
  }
}
