import type { Clock, Timer } from '@sluice/domain/clock';

export interface IdleCollectorPorts {
  readonly clock: Clock;
  /** Counts what has been done for callers; a number that stands still means that nobody is there. */
  readonly activity: () => number;
  /** Collects garbage; takes some tens of milliseconds. */
  readonly collect: () => void;
}

/** Between two looks at the activity. */
const lookMs = 2_000;

/** Collects the garbage that loading leaves, once, as soon as a moment comes in which no caller waits for anything. */
export class IdleCollector {
  readonly #ports: IdleCollectorPorts;
  #timer: Timer | undefined;
  #seen = 0;

  constructor(ports: IdleCollectorPorts) {
    this.#ports = ports;
  }

  /** To be told when something was loaded or unloaded. */
  loaded(): void {
    this.stop();
    this.#lookLater();
  }

  #lookLater(): void {
    this.#seen = this.#ports.activity();
    this.#timer = this.#ports.clock.schedule(lookMs, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#ports.activity() === this.#seen) this.#ports.collect();
    else this.#lookLater();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
