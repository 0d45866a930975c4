import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { Logger } from '@sluice/service-kit/logger';
import { logOutage } from '@sluice/service-kit/outage';
import { applyUpdate } from '../route/table.ts';
import type { ModelRoute, RouteTable } from '../route/table.ts';
import { decodeModelRoute, decodeSite, whole } from './decode-routes.ts';
import type { RuntimeSite, WireModelRoute, WireRoutes } from './decode-routes.ts';
import { isRunning, pause } from './pause.ts';

/** Version of the watch that this router speaks; it understands a registry of the next version too. */
export const watchProtocol = 2;

/** Where routes are kept between runs. */
export interface RouteStore {
  read(): Promise<WireRoutes | undefined>;
  write(routes: WireRoutes): Promise<void>;
}

export interface RouteWatcherOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: RouteStore;
  /** Opens the watch from a revision; 0 asks for a snapshot. */
  readonly open: (resumeToken: number, signal: AbortSignal) => AsyncIterable<WireRoutes>;
  /** Milliseconds to wait before the next try; `failures` counts from 1 since the last message. */
  readonly backoffMs: (failures: number) => number;
  /** Told of every new table, in order, before anybody else is told. */
  readonly onTable: (table: RouteTable) => void;
  /** Told of the runtimes when they change: where they are, and what they offer. */
  readonly onRuntimes: (runtimes: readonly RuntimeSite[]) => void;
  /** Told whether the watch stands. */
  readonly onConnection: (up: boolean) => void;
}

/**
 * Follows the registry's routes: applies each update by making another table, keeps the last state on disk, and opens
 * the watch again where it broke. The registry may be away for as long as it likes.
 */
export class RouteWatcher {
  readonly #options: RouteWatcherOptions;
  readonly #models = new Map<string, WireModelRoute>();
  #runtimes: WireRoutes['runtimes'] = null;
  #table: RouteTable | undefined;
  #saving: Promise<void> | undefined;
  #dirty = false;
  #connected = false;

  constructor(options: RouteWatcherOptions) {
    this.#options = options;
  }

  get table(): RouteTable | undefined {
    return this.#table;
  }
  get connected(): boolean {
    return this.#connected;
  }

  /** Starts from what the last run left. A damaged file is reported and counts as none. */
  async load(): Promise<void> {
    try {
      const saved = await this.#options.store.read();
      if (saved) this.#apply(saved);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'saved routes cannot be used; waiting for the registry');
    }
  }

  /** Follows the registry until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, backoffMs } = this.#options;
    let failures = 0;
    while (isRunning(signal)) {
      try {
        for await (const message of this.#options.open(this.#table?.revision ?? 0, signal)) {
          this.#receive(message);
          // Not before: a message that cannot be taken is a failure like any other.
          failures = 0;
          this.#connection(true);
        }
        logger.debug('the registry ended the watch');
      } catch (error) {
        if (isRunning(signal) && failures === 0) logOutage(logger, error, 'the registry cannot be watched');
      }
      this.#connection(false);
      failures++;
      await pause(clock, backoffMs(failures), signal);
    }
    await this.#saving;
  }

  #connection(up: boolean): void {
    if (this.#connected === up) return;
    this.#connected = up;
    if (up) this.#options.logger.info('watching the registry');
    this.#options.onConnection(up);
  }

  #receive(message: WireRoutes): void {
    if (message.protocolVersion > watchProtocol + 1) {
      throw new SluiceError(
        'failed-precondition',
        `the registry speaks version ${message.protocolVersion} of the watch, this router ${watchProtocol}: upgrade the router`,
      );
    }
    this.#apply(message);
    this.#save();
  }

  #apply(message: WireRoutes): void {
    const models = this.#decode(message.models);
    const revision = whole(message.resumeToken, 'resume token');
    if (message.snapshot) this.#models.clear();
    for (const name of message.removed) this.#models.delete(name);
    for (const model of message.models) this.#models.set(model.model, model);
    const changed = message.snapshot || message.models.length > 0 || message.removed.length > 0;
    if (changed || (this.#table && revision > this.#table.revision)) {
      // A message that only names runtimes need not carry a token.
      const update = {
        revision: message.snapshot ? revision : Math.max(revision, this.#table?.revision ?? 0),
        snapshot: message.snapshot,
        models,
        removed: message.removed,
      };
      const table = applyUpdate(this.#table, update);
      if (table) {
        this.#table = table;
        this.#options.onTable(table);
      }
    }
    if (message.runtimes) {
      this.#runtimes = message.runtimes;
      this.#options.onRuntimes(message.runtimes.runtimes.map(decodeSite));
    }
  }

  /** One model that cannot be read must not keep the others from changing; its old routes stay. */
  #decode(wire: readonly WireModelRoute[]): ModelRoute[] {
    const models: ModelRoute[] = [];
    for (const model of wire) {
      try {
        models.push(decodeModelRoute(model));
      } catch (error) {
        this.#options.logger.error({ err: error, model: model.model }, 'routes of a model cannot be read');
        const old = this.#table?.models.get(model.model);
        if (old) models.push(old);
      }
    }
    return models;
  }

  /** Writes the state, once more when it changed meanwhile; never two writes at a time. */
  #save(): void {
    this.#dirty = true;
    this.#saving ??= this.#writeAll().finally(() => (this.#saving = undefined));
  }

  async #writeAll(): Promise<void> {
    while (this.#dirty) {
      this.#dirty = false;
      if (!this.#table) return;
      try {
        await this.#options.store.write({
          resumeToken: String(this.#table.revision),
          snapshot: true,
          models: [...this.#models.values()],
          removed: [],
          runtimes: this.#runtimes,
          protocolVersion: watchProtocol,
          more: false,
        });
      } catch (error) {
        this.#options.logger.error({ err: error }, 'routes cannot be saved: a restart needs the registry');
      }
    }
  }
}
