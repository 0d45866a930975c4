import type { Clock, Timer } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { OutboxFill } from '../audit/audit-outbox.ts';
import type { Spool } from '../ingest/spool-stream.ts';
import type { Spools } from './erasure.ts';
import type { ErasePorts } from './erase-subject.ts';
import { takeUpErasures, writeDocuments } from './publish-erasures.ts';

export interface PrivacyUpkeepOptions extends ErasePorts {
  readonly spools: Pick<Spools, 'seen'>;
  readonly keys: {
    rewrap(limit: number): Promise<number>;
    deleteUnused(limit: number): Promise<number>;
    deleteUnreadable(days: number, limit: number): Promise<number>;
    vacuum(): Promise<void>;
  };
  readonly outbox: {
    fill(): Promise<OutboxFill>;
    deleteOld(days: number, limit: number): Promise<number>;
  };
  /** Spools whose streams are open here. */
  readonly open: () => readonly { readonly spool: Spool; readonly acknowledged: number }[];
  readonly clock: Clock;
  /** Between rounds of all that is due from time to time. */
  readonly everyMs: number;
  /** Between looks at whether another replica has an order. */
  readonly lookMs: number;
  /** Days that dead letters are kept that nobody can read. */
  readonly unreadableDays: number;
  readonly onTakenUp: (count: number) => void;
  readonly onDestroyed: (count: number) => void;
  readonly onError: (error: unknown, what: string) => void;
}

const rowsAtOnce = 1_000;
/** Days that entries stay in the outbox which the audit log has: it may be put back from a backup that has not. */
const outboxDays = 30;

/** What has to be done from time to time for keys and orders. Each replica does all of it; none of it is wrong to do twice. */
export class PrivacyUpkeep {
  readonly #options: PrivacyUpkeepOptions;
  #timers: Timer[] = [];
  #running = new Set<Promise<void>>();
  #closed = false;
  /** How orders stood when it was last done. */
  #vacuumed = '0 0';
  #pending = 0;
  #fill: OutboxFill = { waiting: 0, oldestMs: undefined };

  constructor(options: PrivacyUpkeepOptions) {
    this.#options = options;
  }

  /** What waited in the outbox, as last counted. */
  get outbox(): OutboxFill {
    return this.#fill;
  }

  /** Orders that are pending, as last counted. */
  get pending(): number {
    return this.#pending;
  }

  start(): void {
    const { everyMs, lookMs } = this.#options;
    this.#repeat(0, lookMs, () => this.#try('looking for orders to erase', () => this.#look()));
    this.#repeat(1, everyMs, () => this.#all());
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    await Promise.all(this.#running);
  }

  #repeat(index: number, ms: number, fn: () => Promise<void>): void {
    const round = fn().finally(() => {
      this.#running.delete(round);
      if (!this.#closed) this.#timers[index] = this.#options.clock.schedule(ms, () => this.#repeat(index, ms, fn));
    });
    this.#running.add(round);
  }

  /** Orders that other replicas were given reach the routers that are connected here. */
  async #look(): Promise<void> {
    const { announce, erasures } = this.#options;
    try {
      announce(await erasures.lastWithDocument());
    } catch (error) {
      // The database is away: whoever watches it has said so.
      if (SluiceError.from(error).kind !== 'unavailable') throw error;
    }
  }

  async #all(): Promise<void> {
    const { keys, outbox, spools, open, erasures, unreadableDays } = this.#options;
    await this.#try('taking up orders to erase', async () => {
      const taken = await takeUpErasures(this.#options);
      if (taken > 0) this.#options.onTakenUp(taken);
    });
    await this.#try('writing orders to the artifact store', () => writeDocuments(this.#options));
    await this.#try('noting spools', () =>
      spools.seen(open().map(({ spool, acknowledged }) => ({ ...spool, acknowledged }))),
    );
    await this.#try('deleting dead letters that cannot be read', async () => {
      const deleted = await this.#untilNone(() => keys.deleteUnreadable(unreadableDays, rowsAtOnce));
      if (deleted > 0) this.#options.onDestroyed(deleted);
    });
    await this.#try('settling orders to erase', async () => {
      await erasures.settle();
      this.#pending = await erasures.countPending();
    });
    await this.#try('wrapping keys anew', () => this.#untilNone(() => keys.rewrap(rowsAtOnce)));
    await this.#try('deleting keys of nothing', () => this.#untilNone(() => keys.deleteUnused(rowsAtOnce)));
    await this.#try('overwriting destroyed keys', () => this.#vacuum());
    await this.#try('looking at the outbox', async () => {
      await this.#untilNone(() => outbox.deleteOld(outboxDays, rowsAtOnce));
      this.#fill = await outbox.fill();
    });
  }

  /** When there is another order, and when one is done: what it waited for lay in rows that are gone since. */
  async #vacuum(): Promise<void> {
    const state = `${await this.#options.erasures.last()} ${this.#pending}`;
    if (state === this.#vacuumed) return;
    await this.#options.keys.vacuum();
    this.#vacuumed = state;
  }

  async #untilNone(fn: () => Promise<number>): Promise<number> {
    let sum = 0;
    for (;;) {
      const count = this.#closed ? 0 : await fn();
      if (count === 0) return sum;
      sum += count;
    }
  }

  async #try(what: string, fn: () => Promise<unknown>): Promise<void> {
    if (this.#closed) return;
    try {
      await fn();
    } catch (error) {
      this.#options.onError(error, what);
    }
  }
}
