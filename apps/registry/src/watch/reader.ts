import type { Clock, Timer } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { Leases } from '../usecases/records.ts';
import type { DesiredState, ModelState } from './desired-state.ts';
import { emptyState, withModels } from './desired-state.ts';
import type { WatchHub } from './hub.ts';

export interface ModelsSince {
  /** The latest revision of any model. */
  readonly latest: number;
  /** See `DesiredState.floor`. */
  readonly floor: number;
  readonly models: readonly ModelState[];
}

/** Reads for watchers; one snapshot each. */
export interface WatchSource {
  /** Models whose last change is later than `token`. */
  modelsSince(token: number): Promise<ModelsSince>;
  leases(): Promise<Leases>;
}

/** How long a lost wake-up may go unnoticed. */
export const pollMs = 2_000;

/**
 * The one reader of a replica: wakes up when told, when the next lease may lapse and every `pollMs`, reads again from
 * the revision it has, and publishes. A read that fails leaves the last state in place.
 */
export class WatchReader {
  readonly #source: WatchSource;
  readonly #hub: WatchHub;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #again: Promise<void> | undefined;
  #closed = false;

  constructor(source: WatchSource, hub: WatchHub, clock: Clock, onError: (error: unknown) => void) {
    this.#source = source;
    this.#hub = hub;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Reads soon; wake-ups that come meanwhile become one more read. */
  wake(): void {
    this.refresh().catch(() => undefined);
  }

  /** Resolves when a read that began after this call has ended; rejects when it failed. */
  async refresh(): Promise<void> {
    if (this.#closed) return;
    if (this.#again) return this.#again;
    const before = this.#running;
    const read = (before ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#again = undefined;
        this.#running = read;
        return this.#read();
      });
    if (before) this.#again = read;
    else this.#running = read;
    const clear = (): void => {
      if (this.#running === read) this.#running = undefined;
    };
    read.then(clear, clear);
    return read;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #read(): Promise<void> {
    let wait = pollMs;
    try {
      const desired = await this.#desired();
      const leases = await this.#source.leases();
      wait = nextRead(leases);
      this.#hub.publish({ desired, leases });
    } catch (error) {
      if (SluiceError.from(error).kind !== 'unavailable') this.#onError(error);
      throw error;
    } finally {
      this.#timer?.cancel();
      if (!this.#closed) this.#timer = this.#clock.schedule(wait, () => this.wake());
    }
  }

  async #desired(): Promise<DesiredState> {
    const known = this.#hub.current.desired ?? emptyState;
    const { latest, floor, models } = await this.#source.modelsSince(known.token);
    if (latest >= known.token && floor <= known.floor) return withModels(known, models);
    // The first read; or the database is older than what was read before: somebody restored it, and nothing holds.
    const all = await this.#source.modelsSince(0);
    const lost = latest < known.token ? known.token : 0;
    return withModels({ ...emptyState, floor: Math.max(all.floor, lost) }, all.models);
  }
}

function nextRead(leases: Leases): number {
  let wait = pollMs;
  for (const lease of [...leases.runtimes, ...leases.routers]) {
    if (lease.live) wait = Math.min(wait, lease.expiresAt - leases.now + 1);
  }
  return Math.max(50, wait);
}
