import type { Clock, Timer } from '@sluice/domain/clock';
import type { ServedVersion } from './served-version.ts';

/** What the sweep goes by of a version. */
export type Brought = Pick<ServedVersion, 'state' | 'mayPass' | 'lastUsedMs' | 'isBusy' | 'demand'>;

export interface IdleSweepPorts<Version extends Brought> {
  readonly clock: Clock;
  /** How long a version stays that nobody asks for, in milliseconds. */
  readonly idleMs: number;
  /** How long one stays that failed for want of something: it can be asked for again soon. */
  readonly failedMs: number;
  /** Those that requests brought and whose loads have ended. */
  readonly versions: () => readonly Version[];
  /** Lets some of them go; it may be none. */
  readonly drop: (versions: readonly Version[]) => void;
}

/** Lets versions go that requests brought, once nobody asks for them any more. */
export class IdleSweep<Version extends Brought> {
  readonly #ports: IdleSweepPorts<Version>;
  #timer: Timer | undefined;

  constructor(ports: IdleSweepPorts<Version>) {
    this.#ports = ports;
  }

  /** To be called when such a version came, changed or was used: sweeps when the first of them is due. */
  later(): void {
    const { clock, versions } = this.#ports;
    this.stop();
    const idle = versions();
    if (idle.length === 0) return;
    const next = Math.min(...idle.map((version) => this.#endOf(version)));
    this.#timer = clock.schedule(Math.max(0, next - clock.monotonic()), () => this.#sweep());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #sweep(): void {
    const { clock, versions, drop } = this.#ports;
    const now = clock.monotonic();
    const due = versions().filter((version) => this.#endOf(version) <= now);
    for (const version of due) if (version.isBusy) version.demand();
    drop(due.filter((version) => !version.isBusy));
    this.later();
  }

  #endOf({ state, mayPass, lastUsedMs }: Version): number {
    const { idleMs, failedMs } = this.#ports;
    return lastUsedMs + (state === 'failed' && mayPass ? failedMs : idleMs);
  }
}
