import type { Clock, Timer } from '@sluice/domain/clock';
import { collectGarbage } from './collect-garbage.ts';

export interface IdleCollectorPorts {
  readonly clock: Clock;
  /** Milliseconds of CPU that the process has used, all threads together. */
  readonly cpuMs: () => number;
  /** Collects garbage; takes some tens of milliseconds. */
  readonly collect: () => void;
}

/** Between two looks. */
const lookMs = 2_000;
/** A process that used less than this share of one core since the last look has nobody who waits for it. */
const idleShare = 0.02;

/**
 * Collects the garbage that rare work leaves, such as starting up, loading a version or admitting one: a heap keeps its
 * pages for later use, and a process at rest has none. It does so once, in a moment in which the process has nothing to
 * do. Not for what requests leave: the next ones need those pages again, and the code that a collection throws away.
 */
export class IdleCollector {
  readonly #ports: IdleCollectorPorts;
  #timer: Timer | undefined;
  #cpuMs = 0;

  constructor(ports: IdleCollectorPorts) {
    this.#ports = ports;
  }

  /** To be told when rare work is done. */
  worked(): void {
    this.stop();
    this.#lookLater();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookLater(): void {
    this.#cpuMs = this.#ports.cpuMs();
    this.#timer = this.#ports.clock.schedule(lookMs, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#ports.cpuMs() - this.#cpuMs < idleShare * lookMs) this.#ports.collect();
    else this.#lookLater();
  }
}

/** The collector of this process. */
export function idleCollector(clock: Clock): IdleCollector {
  return new IdleCollector({
    clock,
    cpuMs: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    },
    collect: collectGarbage,
  });
}
