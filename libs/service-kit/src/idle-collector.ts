import type { Clock, Timer } from '@sluice/domain/clock';
import { collectGarbage } from './collect-garbage.ts';

export interface IdleCollectorPorts {
  readonly clock: Clock;
  /** Milliseconds of CPU that the process has used, all threads together. */
  readonly cpuMs: () => number;
  /** Bytes that the main thread's heap occupies. */
  readonly heapBytes: () => number;
  /** Collects garbage; takes some tens of milliseconds. */
  readonly collect: () => void;
}

/** Between two looks. */
const lookMs = 2_000;
/** A process that used less than this share of one core since the last look has nobody who waits for it. */
const idleShare = 0.02;
/** What a heap must have grown by since it was collected last. */
const worthBytes = 8 * 1024 * 1024;

/**
 * Gives memory back that starting up, loading and bursts have left: a heap keeps its pages for later use, and a process
 * at rest has none. Only in a moment in which the process has nothing to do.
 */
export class IdleCollector {
  readonly #ports: IdleCollectorPorts;
  #timer: Timer | undefined;
  #cpuMs = 0;
  /** What the heap occupied after the last collection. */
  #collectedBytes = 0;

  constructor(ports: IdleCollectorPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#cpuMs = this.#ports.cpuMs();
    this.#timer = this.#ports.clock.schedule(lookMs, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { cpuMs, heapBytes, collect } = this.#ports;
    const idle = cpuMs() - this.#cpuMs < idleShare * lookMs;
    if (idle && heapBytes() >= this.#collectedBytes + worthBytes) {
      collect();
      this.#collectedBytes = heapBytes();
    }
    this.start();
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
    heapBytes: () => process.memoryUsage().heapTotal,
    collect: collectGarbage,
  });
}
