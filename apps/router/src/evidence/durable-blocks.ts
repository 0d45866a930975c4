import type { Clock, Timer } from '@sluice/domain/clock';
import type { SluiceError } from '@sluice/domain/errors';
import { BlockWriter } from '@sluice/evidence/block-writer';
import type { RecordDraft } from '@sluice/evidence/draft';
import type { Reservation, Synced } from '@sluice/evidence/spool/contract';
import { SyncPace } from './sync-pace.ts';

/** Bytes of a block; a larger record has one of its own. */
const blockBytes = 128 * 1024;

/** Where blocks go. */
export interface DurableStore {
  reserve(bytes: number): Reservation | undefined;
  synced(position: number, callback: Synced): void;
}

/** Who waits for a record. */
export interface DurableWaiter {
  /** The block that has it goes to the disk; `onDisk` is called later. */
  kept(): void;
  /** It had no room after all. */
  refused(): void;
  onDisk(failure?: SluiceError): void;
}

export interface DurableBlocksOptions {
  readonly store: DurableStore;
  readonly clock: Clock;
  /** Puts work off to the end of the turn: `setImmediate` in a router. */
  readonly defer: (fn: () => void) => void;
}

/** Room that was reserved for one record. */
export interface DurableRoom {
  readonly reservation: Reservation;
  readonly generation: number;
}

/**
 * Writes durable records into blocks that they share: those of one turn, and those that come while a block is on its way to the disk. Each record brings
 * the room that was reserved for it alone, and the block has what its records brought; where that cannot be joined, the record begins another block.
 */
export class DurableBlocks {
  readonly #options: DurableBlocksOptions;
  readonly #pace = new SyncPace();
  readonly #writer = new BlockWriter(blockBytes);
  /** Of the block that is being written; undefined while it has no record. */
  #room: Reservation | undefined;
  #waiters: DurableWaiter[] = [];
  /** Blocks that are handed over, and not on disk. */
  #underWay = 0;
  #isDeferred = false;
  #timer: Timer | undefined;

  constructor(options: DurableBlocksOptions) {
    this.#options = options;
  }

  /** @param bytes of a block with nothing but the record, at most. @returns undefined when there is no room */
  reserve(bytes: number): DurableRoom | undefined {
    const reservation = this.#options.store.reserve(bytes);
    return reservation && { reservation, generation: this.#pace.began() };
  }

  /** Gives room back: no record comes. */
  release({ reservation, generation }: DurableRoom): void {
    reservation.release();
    this.#left(generation);
  }

  /**
   * Takes a record, of which nothing is kept but its bytes.
   *
   * @param room which is used up
   * @param answerMs that its request took
   */
  add(draft: RecordDraft, { reservation, generation }: DurableRoom, answerMs: number, waiter: DurableWaiter): void {
    if (!this.#writer.append(draft)) {
      this.flush();
      this.#writer.append(draft);
    } else if (this.#room?.join(reservation, this.#writer.length) === false) {
      this.#writer.takeBack(draft);
      this.flush();
      this.#writer.append(draft);
    }
    this.#room ??= reservation;
    this.#waiters.push(waiter);
    this.#pace.answered(answerMs);
    this.#left(generation);
  }

  /** Hands over what there is. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const [room, waiters] = [this.#room, this.#waiters];
    if (room === undefined) return;
    const position = room.append(this.#writer.block, waiters.length);
    this.#room = undefined;
    this.#waiters = [];
    this.#writer.clear();
    // As with those that are on disk, what one throws stops no other.
    if (position === undefined) for (const waiter of waiters) queueMicrotask(() => waiter.refused());
    else this.#handedOver(position, waiters);
  }

  #handedOver(position: number, waiters: readonly DurableWaiter[]): void {
    const { store, clock } = this.#options;
    const begunMs = clock.monotonic();
    this.#pace.written();
    this.#underWay++;
    for (const waiter of waiters) {
      waiter.kept();
      store.synced(position, (failure) => waiter.onDisk(failure));
    }
    store.synced(position, (failure) => {
      this.#underWay--;
      if (failure === undefined) this.#pace.synced(clock.monotonic() - begunMs);
      this.#lookSoon();
    });
  }

  #left(generation: number): void {
    this.#pace.left(generation);
    this.#lookSoon();
  }

  /** What comes in the same turn goes with it. */
  #lookSoon(): void {
    if (this.#room === undefined || this.#isDeferred) return;
    this.#isDeferred = true;
    this.#options.defer(() => {
      this.#isDeferred = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#room === undefined || this.#underWay > 0) return;
    if (this.#timer !== undefined) {
      if (!this.#pace.isExpecting) this.flush();
      return;
    }
    const { waitMs } = this.#pace;
    if (waitMs === 0) this.flush();
    else this.#timer = this.#options.clock.schedule(waitMs, () => this.flush());
  }
}
