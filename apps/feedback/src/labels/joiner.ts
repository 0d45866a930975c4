import type { Clock, Timer } from '@sluice/domain/clock';
import { waitingContext } from '../payloads/payload-context.ts';
import type { Horizon, JoinerStore, WaitingCounts, WaitingItem } from './joiner-ports.ts';
import { fillOutcomes } from './fill-outcomes.ts';
import type { RecordPorts } from './record-items.ts';
import { joinBatch } from './record-items.ts';

export interface JoinerOptions {
  readonly store: JoinerStore;
  readonly ports: RecordPorts;
  readonly clock: Clock;
  readonly everyMs: number;
  /** False while the database is known to be away. */
  readonly isUp: () => boolean;
  readonly onSettled: (how: 'joined' | 'refused' | 'unmatched', count: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Records that are looked at together; more where one transaction stored more. */
const chunkRecords = 5_000;
/** Items, predictions and outcomes of one transaction or question. */
const atOnce = 1_000;
const expiredAtOnce = 10_000;
const forgetAfterDays = 30;
const countEveryMs = 10_000;

/** A moment: what was committed, and which numbers of transactions were given out. */
interface Mark {
  /** Transactions before this one were over. */
  readonly to: bigint;
  /** Transactions after this one had no number; 0 where there was no evidence to look at. */
  readonly barrier: bigint;
  readonly horizon: Horizon;
  readonly atMs: number;
}

/**
 * Joins what was recorded before its prediction was there: items that wait, and labels of a prediction of which another arm or attempt
 * is stored later. It follows evidence in the order of its transactions and asks of each record whether anything was said of it; so
 * its work is that of new evidence, however much waits.
 *
 * Why no pair is missed. Let E be the transaction of a record and L that of an item which belongs to it. Either L saw the record and
 * joined it. Or E was not committed when L read; and L had its number before it read (`LabelTransaction`). The joiner looks at E in
 * two steps. At a mark it notes up to where all transactions are over (`to`), and then takes a number itself (`barrier`). It looks at
 * the records of transactions before `to` when all numbers up to `barrier` are over. If E is before `to`, it was committed at
 * the mark; L had its number before that, which is below `barrier`; so L is over, and its item, if it was committed, is seen. If E is not
 * before `to`, a later mark has it. The number has to be taken: a snapshot ends with the last transaction that is over, and says nothing of
 * those that have begun since. It is taken only when there is new evidence.
 *
 * So it is enough to follow evidence: nobody has to look again at labels that found all that there was. The position is stored after
 * the work for it is committed. Work that is done twice, after a crash or by two replicas, stores nothing twice.
 *
 * A crash of the database gives out numbers again that no flushed transaction had, and a failover those that the standby had not got.
 * So position and barrier are on disk before they count, nothing that is only known here is taken for a position, and a mark of another
 * timeline is forgotten.
 */
export class Joiner {
  readonly #options: JoinerOptions;
  #timer: Timer | undefined;
  #round: Promise<void> = Promise.resolve();
  #closed = false;
  #mark: Mark | undefined;
  #timeline = 0;
  #reachedMs: number;
  /** A moment before which items may have ended, once all evidence that was committed by then has been looked at. */
  #ending: Horizon | undefined;
  #isAtIt = false;
  #counts: WaitingCounts = { waiting: 0, ended: 0 };
  #countAtMs = -Infinity;

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#reachedMs = options.clock.now();
  }

  /** As last counted. */
  get counts(): WaitingCounts {
    return this.#counts;
  }

  /** How long ago the moment is up to which all evidence has been looked at; 0 where another replica does it. */
  get lagSeconds(): number {
    if (!this.#isAtIt) return 0;
    return Math.max(0, this.#options.clock.now() - this.#reachedMs) / 1_000;
  }

  start(): void {
    this.#round = this.round().finally(() => {
      if (!this.#closed) this.#timer = this.#options.clock.schedule(this.#options.everyMs, () => this.start());
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#round;
    await this.#options.store.close();
  }

  /** One round; never rejects. */
  async round(): Promise<void> {
    const { store, clock, isUp, onError } = this.#options;
    if (!isUp()) return;
    try {
      this.#isAtIt = await store.exclusively(() => this.#join());
      if (clock.monotonic() - this.#countAtMs < countEveryMs) return;
      this.#countAtMs = clock.monotonic();
      this.#counts = await store.counts();
    } catch (error) {
      onError(error);
    }
  }

  async #join(): Promise<void> {
    const { store } = this.#options;
    const horizon = await store.horizon();
    if (horizon.isNew || horizon.timeline !== this.#timeline) [this.#mark, this.#ending] = [undefined, undefined];
    this.#timeline = horizon.timeline;
    this.#mark ??= await this.#markAt(horizon);
    const mark = this.#mark;
    // Those that had their number at the mark are under way still: the next round.
    if (mark.barrier > 0n && (await store.horizon()).xmin <= mark.barrier) return;
    for (let seen = horizon.position; mark.barrier > 0n && seen < mark.to;) {
      if (this.#closed) return;
      const to = await store.chunkEnd(seen, mark.to, chunkRecords);
      if (!(await this.#joinRecords(seen, to))) return;
      await store.advance(to);
      seen = to;
    }
    this.#mark = undefined;
    this.#reachedMs = mark.atMs;
    await this.#endBefore(mark);
  }

  async #markAt(horizon: Horizon): Promise<Mark> {
    const { store, clock } = this.#options;
    const mark = { to: horizon.xmin, horizon, atMs: clock.now() };
    const isMore = await store.hasEvidence(horizon.position, horizon.xmin);
    return { ...mark, barrier: isMore ? await store.takeNumber() : 0n };
  }

  /** Whoever waited in vain until a moment is given up when all evidence that was committed at that moment has been looked at. */
  async #endBefore({ to, horizon }: Mark): Promise<void> {
    if (this.#ending && to < this.#ending.xmax) return;
    if (this.#ending) await this.#end(this.#ending.now);
    this.#ending = horizon;
  }

  /** Whether all that belongs to these records is joined; false when the registry has to be asked and is away. */
  async #joinRecords(from: bigint, to: bigint): Promise<boolean> {
    const { store } = this.#options;
    let isDone = true;
    const waits = await store.waits();
    if (waits.forPredictions)
      for (const ids of inParts(await store.predictionsIn(from, to)))
        isDone = (await this.#joinWaiting((after) => store.waitingForPredictions(ids, after, atOnce))) && isDone;
    if (waits.forRequests)
      for (const names of inParts(await store.requestsIn(from, to)))
        isDone = (await this.#joinWaiting((after) => store.waitingForRequests(names, after, atOnce))) && isDone;
    for (const ids of inParts(await store.labelledIn(from, to)))
      isDone = (await fillOutcomes(this.#options, ids, atOnce)) && isDone;
    return isDone;
  }

  async #joinWaiting(page: (after: number) => Promise<WaitingItem[]>): Promise<boolean> {
    let isDone = true;
    for (let after = 0; ;) {
      const waiting = await page(after);
      if (waiting.length === 0) return isDone;
      isDone = (await this.#settle(waiting)) && isDone;
      // Any number may wait for one prediction; a process that stops leaves the rest to the next one.
      if (this.#closed) return false;
      after = waiting.at(-1)!.id;
    }
  }

  /** Joins items and forgets them, in one transaction. Those whose version cannot be asked for now stay. */
  async #settle(waiting: readonly WaitingItem[]): Promise<boolean> {
    const { ports, onSettled } = this.#options;
    const items = waiting.map(({ key, item }) => {
      if (item.payload === undefined) return item;
      return { ...item, payload: ports.cipher.openWaiting(item.payload, waitingContext(key.toString('hex'))) };
    });
    const answers = await joinBatch(ports, items, false, async (tx, made) => {
      const done = waiting.filter((_, at) => isJoined(made[at]!.result));
      const refusals = waiting.flatMap(({ key }, at) => {
        const answer = made[at]!;
        return answer.result === 'refused' && answer.kind !== 'unavailable' ? [{ key, refusal: answer }] : [];
      });
      if (done.length > 0) await tx.removeWaiting(done.map(({ key }) => key));
      if (refusals.length > 0) await tx.refuseWaiting(refusals);
    });
    const away = answers.filter((answer) => answer.result === 'refused' && answer.kind === 'unavailable').length;
    const refused = answers.filter(({ result }) => result === 'refused').length - away;
    onSettled('joined', answers.filter(({ result }) => isJoined(result)).length);
    onSettled('refused', refused);
    return away === 0;
  }

  async #end(before: string): Promise<void> {
    const { store, onSettled } = this.#options;
    for (;;) {
      const ended = this.#closed ? 0 : await store.endExpired(before, expiredAtOnce);
      onSettled('unmatched', ended);
      if (ended < expiredAtOnce) break;
    }
    await store.forgetEnded(forgetAfterDays, expiredAtOnce);
  }
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += atOnce) yield all.slice(at, at + atOnce);
}

const isJoined = (result: string): boolean => result === 'joined' || result === 'duplicate';
