import type { Clock, Random, Timer } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { Logger } from '@sluice/service-kit/logger';
import type { LeaseReport, RegistryPort } from './ports.ts';

export interface LeaseKeeperPorts {
  readonly registry: Pick<RegistryPort, 'renewLease' | 'releaseLease'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** What to report; asked for at every renewal. */
  readonly report: () => LeaseReport;
  /** Told whether the last renewal worked. */
  readonly renewed: (worked: boolean) => void;
  readonly ttlMs: number;
}

/** Keeps this runtime's lease alive: renews it every third of its time to live, and at once after a change. */
export class LeaseKeeper {
  readonly #ports: LeaseKeeperPorts;
  #ttlMs: number;
  #timer: Timer | undefined;
  #renewing: Promise<void> | undefined;
  /** Something changed while a renewal was under way. */
  #again = false;
  #stopped = false;
  #failing = false;

  constructor(ports: LeaseKeeperPorts) {
    this.#ports = ports;
    this.#ttlMs = ports.ttlMs;
  }

  /** Renews now, or right after the renewal that is under way. */
  renewNow(): void {
    if (this.#stopped) return;
    if (this.#renewing) {
      this.#again = true;
      return;
    }
    this.#timer?.cancel();
    this.#renewing = this.#renew().finally(() => {
      this.#renewing = undefined;
      if (this.#again) {
        this.#again = false;
        this.renewNow();
      } else this.#renewLater();
    });
  }

  async #renew(): Promise<void> {
    const { registry, logger, renewed } = this.#ports;
    try {
      this.#ttlMs = Math.max(300, await registry.renewLease(this.#ports.report()));
      if (this.#failing) logger.info('the lease is renewed again');
      this.#failing = false;
      renewed(true);
    } catch (error) {
      // Once per outage: the watch says the same, and the registry does not count outages of its own.
      const { kind, message } = SluiceError.from(error);
      if (!this.#failing) logger.warn({ kind, reason: message }, 'the lease could not be renewed');
      this.#failing = true;
      this.#again = false;
      renewed(false);
    }
  }

  #renewLater(): void {
    if (this.#stopped) return;
    // Jitter keeps the runtimes of a pool from renewing together after the registry was away.
    // After a failure sooner, so that another replica can be asked while the lease still holds.
    const delay = (this.#ttlMs / (this.#failing ? 9 : 3)) * (0.8 + 0.2 * this.#ports.random.uniform());
    this.#timer = this.#ports.clock.schedule(delay, () => this.renewNow());
  }

  /** Stops renewing and gives the lease back, so that routers and the registry need not wait for it to lapse. */
  async release(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#renewing;
    try {
      await this.#ports.registry.releaseLease();
    } catch (error) {
      this.#ports.logger.debug({ reason: SluiceError.from(error).message }, 'the lease was left to lapse');
    }
  }
}
