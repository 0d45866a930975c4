import type { SluiceError } from '@sluice/domain/errors';
import { BlockWriter } from '@sluice/evidence/block-writer';
import type { RecordDraft } from '@sluice/evidence/draft';
import type { Reservation, Synced } from '@sluice/evidence/spool/contract';

/** Bytes of a block; a larger record has one of its own. */
const blockBytes = 128 * 1024;

/** Where blocks go. */
export interface DurableStore {
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
  /** Puts work off to the end of the turn: `setImmediate` in a router. */
  readonly defer: (fn: () => void) => void;
}

/**
 * Writes durable records into blocks that they share: those of one turn, and those that come while a block is on its way to the disk. Each record brings
 * the room that was reserved for it alone, and the block has what its records brought; where that cannot be joined, the record begins another block.
 */
export class DurableBlocks {
  readonly #options: DurableBlocksOptions;
  readonly #writer = new BlockWriter(blockBytes);
  /** Of the block that is being written; undefined while it has no record. */
  #room: Reservation | undefined;
  #waiters: DurableWaiter[] = [];
  /** Blocks that are handed over, and not on disk. */
  #underWay = 0;
  #isDeferred = false;

  constructor(options: DurableBlocksOptions) {
    this.#options = options;
  }

  /**
   * Takes a record, of which nothing is kept but its bytes.
   *
   * @param room for a block with nothing but the record; it is used up
   */
  add(draft: RecordDraft, room: Reservation, waiter: DurableWaiter): void {
    if (!this.#writer.append(draft)) {
      this.flush();
      this.#writer.append(draft);
    } else if (this.#room?.join(room, this.#writer.length) === false) {
      this.#writer.takeBack(draft);
      this.flush();
      this.#writer.append(draft);
    }
    this.#room ??= room;
    this.#waiters.push(waiter);
    this.#lookSoon();
  }

  /** Hands over what there is. */
  flush(): void {
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
    const { store } = this.#options;
    this.#underWay++;
    for (const waiter of waiters) {
      waiter.kept();
      store.synced(position, (failure) => waiter.onDisk(failure));
    }
    store.synced(position, () => {
      this.#underWay--;
      this.#lookSoon();
    });
  }

  /** What comes in the same turn goes with it. */
  #lookSoon(): void {
    if (this.#room === undefined || this.#isDeferred) return;
    this.#isDeferred = true;
    this.#options.defer(() => {
      this.#isDeferred = false;
      if (this.#underWay === 0) this.flush();
    });
  }
}
