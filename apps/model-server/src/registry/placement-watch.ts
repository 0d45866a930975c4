import type { Clock, Random } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { sleep } from '@sluice/resilience/deadline';
import type { Logger } from '@sluice/service-kit/logger';
import { applyChange, type Placement } from '../versions/assignment.ts';
import type { RegistryPort } from './ports.ts';

export interface PlacementWatchPorts {
  readonly registry: Pick<RegistryPort, 'watchAssignments'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Takes a placement over; told in the order of revisions. */
  readonly apply: (placement: Placement) => void;
  /** Keeps it for the next start; a failure is logged and changes nothing. */
  readonly keep: (placement: Placement) => Promise<void>;
  /** Told when the watch is established (a first message came) or lost. */
  readonly connected: (connected: boolean) => void;
}

const firstDelayMs = 100;
const longestDelayMs = 5_000;

/** Follows the registry's assignments for ever, across broken connections and restarts of either side. */
export class PlacementWatch {
  readonly #ports: PlacementWatchPorts;
  readonly #abort = new AbortController();
  #placement: Placement | undefined;
  #delayMs = firstDelayMs;
  #ended: Promise<void> | undefined;
  #keeping: Promise<void> = Promise.resolve();

  /** @param placement what is applied already, from disk; the watch resumes after it */
  constructor(ports: PlacementWatchPorts, placement?: Placement) {
    this.#ports = ports;
    this.#placement = placement;
  }

  start(): void {
    this.#ended ??= this.#run();
  }

  #isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped()) {
      try {
        await this.#follow(this.#abort.signal);
        if (!this.#isStopped()) this.#ports.logger.info('the registry ended the watch; asking again');
      } catch (error) {
        if (this.#isStopped()) break;
        const { kind, message } = SluiceError.from(error);
        this.#ports.logger.warn({ kind, reason: message }, 'the registry cannot be watched; the last placement stays');
      }
      this.#ports.connected(false);
      await this.#pause();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const change of this.#ports.registry.watchAssignments(this.#placement?.revision ?? 0, signal)) {
      if (signal.aborted) return;
      this.#delayMs = firstDelayMs;
      const placement = applyChange(this.#placement, change);
      this.#placement = placement;
      this.#ports.connected(true);
      this.#ports.apply(placement);
      this.#keep(placement);
    }
  }

  /** Writes one placement after the other, so that an older one never replaces a newer one. */
  #keep(placement: Placement): void {
    this.#keeping = this.#keeping
      .then(() => (placement === this.#placement ? this.#ports.keep(placement) : undefined))
      .catch((error: unknown) => {
        this.#ports.logger.error(
          { err: error },
          'the placement could not be kept on disk: a restart needs the registry',
        );
      });
  }

  async #pause(): Promise<void> {
    const delay = this.#delayMs * (0.5 + this.#ports.random.uniform());
    this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
    try {
      await sleep(this.#ports.clock, delay, this.#abort.signal);
    } catch (error) {
      if (!this.#isStopped()) throw error;
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
    await this.#keeping;
  }
}
