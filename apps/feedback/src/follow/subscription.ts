import type { Clock } from '@sluice/domain/clock';
import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import type { Cursor } from './cursor.ts';
import { cursorText } from './cursor.ts';
import type { Gate } from '../gate.ts';
import { beginning } from './position.ts';
import type { Position } from './position.ts';
import type { Filter, Page } from './read-page.ts';
import { endOf, reaches, readPage } from './read-page.ts';
import type { FollowedRow } from './row.ts';
import type { FollowSource, Look } from './source.ts';
import type { Tail } from './tail.ts';

export interface SubscriptionPorts {
  readonly source: FollowSource;
  readonly tail: Pick<Tail, 'fresh' | 'newer' | 'heldBackMs'>;
  /** Of pages that are read at once. */
  readonly gate: Gate;
  readonly clock: Clock;
}

export interface Subscribe {
  readonly from: Cursor | 'oldest' | 'now';
  readonly filter: Filter;
  /** The longest time without a message, in milliseconds. */
  readonly heartbeatMs: number;
}

/** What a subscriber gets. */
export interface Message {
  readonly rows: readonly FollowedRow[];
  /** Goes on behind them. */
  readonly cursor: string;
  readonly heldBackMs: number;
  readonly more: boolean;
}

/** One who follows the tables: holds one page at a time, and reads the next when that one is taken. */
export class Subscription {
  readonly #ports: SubscriptionPorts;
  readonly #request: Subscribe;
  #look: Look;
  #position: Position;
  #losses: number;

  /**
   * @throws SluiceError failed-precondition for a cursor of another history of the tables, out-of-range where rows behind it are
   *   gone
   */
  static async open(ports: SubscriptionPorts, request: Subscribe): Promise<Subscription> {
    const look = await ports.tail.fresh();
    const subscription = new Subscription(ports, request, look);
    await subscription.#checkLosses();
    return subscription;
  }

  constructor(ports: SubscriptionPorts, request: Subscribe, look: Look) {
    this.#ports = ports;
    this.#request = request;
    this.#look = look;
    const { from } = request;
    if (from === 'oldest' || from === 'now') {
      this.#losses = look.losses;
      this.#position = from === 'oldest' ? beginning : endOf(look);
    } else {
      checkHistory(from, look);
      this.#losses = from.losses;
      this.#position = from.position;
    }
  }

  /** Never ends by itself. Throws what there is to say to the subscriber. */
  async *messages(signal: AbortSignal): AsyncGenerator<Message, void, undefined> {
    const { tail, clock } = this.#ports;
    const { filter, heartbeatMs } = this.#request;
    yield this.#message({ rows: [], more: reaches(this.#look, filter.tables, this.#position) });
    let dueMs = clock.monotonic() + heartbeatMs;
    for (;;) {
      let page: Pick<Page, 'rows' | 'more'> = { rows: [], more: false };
      if (reaches(this.#look, filter.tables, this.#position)) page = await this.#read();
      else {
        const newer = await tail.newer(this.#look, Math.max(0, dueMs - clock.monotonic()), signal);
        if (newer) this.#turnTo(newer);
      }
      if (signal.aborted) return;
      if (page.rows.length === 0 && clock.monotonic() < dueMs) continue;
      yield this.#message(page);
      dueMs = clock.monotonic() + heartbeatMs;
    }
  }

  async #read(): Promise<Page> {
    const { source, gate } = this.#ports;
    return gate.run(async () => {
      const page = await readPage(source, this.#look, this.#position, this.#request.filter);
      // Behind the reads: what they did not find because it had just gone is noted by now.
      await this.#checkLosses();
      this.#position = page.end;
      return page;
    });
  }

  /** A look with newer rows. */
  #turnTo(look: Look): void {
    checkHistory(this.#cursor(this.#losses), look);
    // All that the last look had has been read, or is of no kind that is wanted.
    const end = endOf(this.#look);
    if (end.transaction > this.#position.transaction) this.#position = end;
    this.#look = look;
  }

  async #checkLosses(): Promise<void> {
    const losses = await this.#ports.source.lossSince(this.#losses, this.#position.transaction);
    if (losses === undefined) return;
    throw new SluiceError(
      'out-of-range',
      `cursor: rows behind it have expired and were not sent; the first valid cursor, which goes on with what is left, is ${cursorText(this.#cursor(losses))}`,
    );
  }

  #message({ rows, more }: Pick<Page, 'rows' | 'more'>): Message {
    return {
      rows: rows.map(({ row }) => row),
      cursor: cursorText(this.#cursor(this.#losses)),
      heldBackMs: this.#ports.tail.heldBackMs,
      more,
    };
  }

  #cursor(losses: number): Cursor {
    return { history: this.#look.history, losses, position: this.#position };
  }
}

function checkHistory({ history, position, losses }: Cursor, look: Look): void {
  const begin = 'begin again, with `begin` in place of a cursor, and compare by id with what you have';
  const { id, system, timeline } = look.history;
  if (history.id !== id || history.system !== system)
    throw failedPrecondition(
      `cursor: it is of another database, or of this one before it was restored from a copy: ${begin}`,
    );
  if (history.timeline !== timeline)
    throw failedPrecondition(
      `cursor: it is of timeline ${history.timeline} of the database, which is at ${timeline} since a recovery or a failover: ${begin}`,
    );
  const last = endOf(look).transaction;
  const most = look.lost >= last ? look.lost + 1n : last;
  if (position.transaction > most || losses > look.losses)
    throw failedPrecondition(
      `cursor: it is ahead of all that the database has, which was put back to an earlier state: ${begin}`,
    );
}
