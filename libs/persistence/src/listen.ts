import pg from 'pg';
import type { Clock, Random, Timer } from '@sluice/domain/clock';

export interface ListenOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Channel names: letters, digits and underscores. */
  readonly channels: readonly string[];
  /**
   * A wake-up and no more: it may come without news, twice, or (while the connection is away) not at all. So it is
   * also called after each connect, and whoever is woken reads the state again from where it stands.
   */
  readonly onWake: (channel: string | undefined) => void;
  /** Told when the connection comes (true) and goes (false). */
  readonly onConnected?: (connected: boolean, error?: Error) => void;
  /** Longest wait between attempts, in milliseconds. Default 2,000. */
  readonly maxDelayMs?: number;
  /** How often a connection is asked for a sign of life, in milliseconds; silence counts as broken. Default 10,000. */
  readonly heartbeatMs?: number;
}

export interface Listener {
  /** Stops listening; resolves when the connection is closed. */
  close(): Promise<void>;
}

/** Listens on a connection of its own, which it opens again whenever it breaks. Returns at once; connects behind. */
export function listen(options: ListenOptions): Listener {
  const connection = new ListenConnection(options);
  connection.start();
  return connection;
}

class ListenConnection implements Listener {
  readonly #options: ListenOptions;
  #client: pg.Client | undefined;
  #closed = false;
  #failures = 0;
  #timer: Timer | undefined;

  constructor(options: ListenOptions) {
    for (const channel of options.channels)
      if (!/^[a-z_][a-z0-9_]*$/.test(channel)) throw new TypeError(`channel ${channel} is not a plain name`);
    this.#options = options;
  }

  start(): void {
    void this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: this.#options.applicationName,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      query_timeout: 5000,
    });
    this.#client = client;
    client.on('error', (error) => this.#broken(client, error));
    client.on('end', () => this.#broken(client, new Error('the connection ended')));
    client.on('notification', (message) => this.#options.onWake(message.channel));
    try {
      await client.connect();
      for (const channel of this.#options.channels) await client.query(`LISTEN ${channel}`);
    } catch (error) {
      this.#broken(client, error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#client !== client) return;
    this.#failures = 0;
    this.#options.onConnected?.(true);
    // What was announced while nobody listened is made up for by one wake-up.
    this.#options.onWake(undefined);
    this.#beat(client);
  }

  #beat(client: pg.Client): void {
    this.#timer = this.#options.clock.schedule(this.#options.heartbeatMs ?? 10_000, () => {
      client.query('SELECT 1').then(
        () => {
          if (this.#client === client) this.#beat(client);
        },
        (error: unknown) => this.#broken(client, error instanceof Error ? error : new Error(String(error))),
      );
    });
  }

  #broken(client: pg.Client, error: Error): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    this.#timer?.cancel();
    this.#options.onConnected?.(false, error);
    client.end().catch(() => undefined);
    const ceiling = Math.min(this.#options.maxDelayMs ?? 2000, 50 * 2 ** this.#failures++);
    const delayMs = ceiling * (0.5 + this.#options.random.uniform() / 2);
    this.#timer = this.#options.clock.schedule(delayMs, () => void this.#connect());
  }
}
