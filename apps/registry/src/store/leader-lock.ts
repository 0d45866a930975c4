import type { Clock, Timer } from '@sluice/domain/clock';
import pg from 'pg';

export interface LeaderLockOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly lockId: number;
  readonly clock: Clock;
  /** Won (true) or lost (false). */
  readonly onChange: (leads: boolean) => void;
  readonly onError: (error: unknown) => void;
  /** The server ends a session that has been silent for this long: a frozen process must not keep the lock. Default 10,000. */
  readonly idleSessionMs?: number;
}

const everyMs = 1_000;
const queryTimeoutMs = 2_000;

/**
 * A session's advisory lock on a connection of its own. It asks the server every second, to win the lock or to see that
 * the connection which holds it still lives; a lost connection is a lost lock, and is opened again.
 */
export class LeaderLock {
  readonly #options: LeaderLockOptions;
  #client: pg.Client | undefined;
  #timer: Timer | undefined;
  #step: Promise<void> | undefined;
  #held = false;
  #closed = false;

  constructor(options: LeaderLockOptions) {
    this.#options = options;
  }

  /** True while this process holds the lock, as far as it knows. */
  get held(): boolean {
    return this.#held;
  }

  start(): void {
    this.#step = this.#ask().finally(() => {
      if (!this.#closed) this.#timer = this.#options.clock.schedule(everyMs, () => this.start());
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#step;
    const client = this.#client;
    this.#lost(client);
    await client?.end().catch(() => undefined);
  }

  async #ask(): Promise<void> {
    try {
      this.#client ??= await this.#connect();
      const client = this.#client;
      if (this.#held) {
        await client.query('select 1');
        return;
      }
      const { rows } = await client.query<{ won: boolean }>('select pg_try_advisory_lock($1) as won', [
        this.#options.lockId,
      ]);
      if (rows[0]?.won === true && this.#client === client) this.#change(true);
    } catch (error) {
      this.#options.onError(error);
      const client = this.#client;
      this.#lost(client);
      client?.end().catch(() => undefined);
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: this.#options.applicationName,
      connectionTimeoutMillis: queryTimeoutMs,
      query_timeout: queryTimeoutMs,
      keepAlive: true,
    });
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    await client.connect();
    await client.query(`set idle_session_timeout = ${this.#options.idleSessionMs ?? 10_000}`);
    return client;
  }

  #lost(client: pg.Client | undefined): void {
    if (client === undefined || this.#client !== client) return;
    this.#client = undefined;
    this.#change(false);
  }

  #change(held: boolean): void {
    if (this.#held === held) return;
    this.#held = held;
    this.#options.onChange(held);
  }
}
