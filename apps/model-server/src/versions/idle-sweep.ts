import type { Clock, Timer } from '@sluice/domain/clock';
import type { ServedVersion } from './served-version.ts';

/** A version that failed for want of something can be asked for again after this long, in milliseconds. */
const failedMs = 5_000;

export interface IdleSweepPorts {
  readonly clock: Clock;
  /** How long a version stays that nobody asks for, in milliseconds. */
  readonly idleMs: number;
  /** Versions that are not placed and that no load is under way of. */
  readonly versions: () => readonly ServedVersion[];
  readonly withdraw: (version: ServedVersion) => void;
  /** Told when a sweep is over. */
  readonly swept: () => void;
}

/** Takes versions away that requests brought and that nobody asks for any more. One timer serves all of them. */
export class IdleSweep {
  readonly #ports: IdleSweepPorts;
  #timer: Timer | undefined;

  constructor(ports: IdleSweepPorts) {
    this.#ports = ports;
  }

  /** Looks again when the first version may have become idle; to be called after every change of such a version. */
  plan(): void {
    const { clock, versions } = this.#ports;
    this.stop();
    const ends = versions().map((version) => this.#idleEnd(version));
    if (ends.length === 0) return;
    this.#timer = clock.schedule(Math.max(0, Math.min(...ends) - clock.monotonic()), () => this.#sweep());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #idleEnd(version: ServedVersion): number {
    const mayComeSoon = version.state === 'failed' && version.mayPass;
    return version.lastUsedMs + (mayComeSoon ? failedMs : this.#ports.idleMs);
  }

  #sweep(): void {
    const { clock, versions, withdraw, swept } = this.#ports;
    const now = clock.monotonic();
    for (const version of versions()) {
      if (this.#idleEnd(version) > now) continue;
      // A request that takes longer than that is a use too.
      if (version.isBusy) version.demand();
      else withdraw(version);
    }
    swept();
    this.plan();
  }
}
