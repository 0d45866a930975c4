import type { Clock, Timer } from '@sluice/domain/clock';
import { SluiceError, unavailable } from '@sluice/domain/errors';

export interface HeartbeatOptions {
  /** Asks or writes something that shows whether the database can be written to. */
  readonly beat: () => Promise<void>;
  readonly clock: Clock;
  /** The database can be written to (true) or not (false); `error` says why not. */
  readonly onChange: (up: boolean, error?: unknown) => void;
  /** What callers are told while the database is away. */
  readonly refusal: string;
  /** How often, in milliseconds; default 500. */
  readonly everyMs?: number;
  /** A beat that takes longer counts as failed, in milliseconds; default 2,000. */
  readonly timeoutMs?: number;
}

/**
 * Asks Postgres twice a second whether it can be written to. While it does not say so, callers are refused at once and not
 * left waiting for a connection.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #up = true;
  #closed = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Throws `unavailable` while Postgres is away. */
  readonly require = (): void => {
    if (this.#up) return;
    throw unavailable(this.#options.refusal, { retryAfterMs: 1_000 });
  };

  start(): void {
    void this.#beat().finally(() => {
      if (!this.#closed) this.#timer = this.#options.clock.schedule(this.#options.everyMs ?? 500, () => this.start());
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #beat(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timeoutMs = this.#options.timeoutMs ?? 2_000;
    const timer = this.#options.clock.schedule(timeoutMs, () =>
      late.reject(new SluiceError('unavailable', `the database did not answer within ${timeoutMs} ms`)),
    );
    try {
      await Promise.race([this.#options.beat(), late.promise]);
      this.#change(true);
    } catch (error) {
      this.#change(false, error);
    } finally {
      timer.cancel();
    }
  }

  #change(up: boolean, error?: unknown): void {
    if (this.#closed || this.#up === up) return;
    this.#up = up;
    this.#options.onChange(up, error);
  }
}
