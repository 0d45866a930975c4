import type { Clock, Timer } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { Retention } from '../evidence/days.ts';
import type { EvidenceStore, Written } from './batch.ts';
import { ByteBudget } from './byte-budget.ts';
import type { KnownVersions } from './known-versions.ts';
import { Pace } from '../pace.ts';
import type { SentBlock } from './sort-blocks.ts';
import { SortedBlocks } from './sort-blocks.ts';

export interface IngesterOptions {
  readonly store: EvidenceStore;
  readonly versions: Pick<KnownVersions, 'isKnown' | 'resolve'>;
  readonly clock: Clock;
  readonly retention: Retention;
  /** Batches that are written at once, each over a connection of its own. */
  readonly writers: number;
  /** A batch takes no further block once it has so many records. */
  readonly batchRows: number;
  /** A batch takes no further block once it has so many bytes. */
  readonly batchBytes: number;
  /** Bytes of all streams' blocks that are held at once. */
  readonly heldBytes: number;
  readonly onWritten: (written: Written, ms: number) => void;
  readonly onFailed: (error: SluiceError) => void;
}

/** While a batch is written, others gather: another writer begins for so many bytes, */
const enoughBytes = 64 * 1024;
/** or when somebody has waited for so many milliseconds. A transaction for a few records costs nearly what one for hundreds does. */
const patienceMs = 25;

interface Waiting extends SentBlock {
  readonly settle: (error: SluiceError | undefined) => void;
}

/**
 * Takes blocks of all streams and stores them. Nobody waits for a batch to fill where nothing is written: what comes meanwhile gathers,
 * and is the next batch. Further writers help when there is much, or the batch that is under way takes its time.
 */
export class Ingester {
  /** Shared by all streams; whoever adds a block takes its bytes before, and gives them back when it is settled. */
  readonly budget: ByteBudget;
  readonly #options: IngesterOptions;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #writing = 0;
  #timer: Timer | undefined;

  constructor(options: IngesterOptions) {
    this.#options = options;
    this.budget = new ByteBudget(options.heldBytes);
  }

  /** Blocks that wait for a writer. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Batches under way. */
  get writing(): number {
    return this.#writing;
  }

  /** @param settle called once: without an error when all of the block is committed */
  add(block: SentBlock, settle: (error: SluiceError | undefined) => void): void {
    this.#queue.push({ ...block, settle });
    this.#queuedBytes += block.block.length;
    this.#pump();
  }

  /** @param isDue somebody has waited long enough */
  #pump(isDue = false): void {
    const { writers, clock } = this.#options;
    for (let due = isDue; this.#writing < writers && this.#queue.length > 0; due = false) {
      if (this.#writing > 0 && !due && this.#queuedBytes < enoughBytes) {
        this.#timer ??= clock.schedule(patienceMs, () => {
          this.#timer = undefined;
          this.#pump(true);
        });
        return;
      }
      this.#writing += 1;
      void this.#write().finally(() => {
        this.#writing -= 1;
        this.#pump();
      });
    }
  }

  async #write(): Promise<void> {
    const { store, versions, clock, retention, onWritten, onFailed } = this.#options;
    const start = clock.monotonic();
    const batch = new SortedBlocks(retention, clock.now());
    const blocks: Waiting[] = [];
    let failure: SluiceError | undefined;
    try {
      await this.#fill(batch, blocks);
      await versions.resolve(batch.contexts);
      onWritten(await store.write(batch, versions.isKnown), clock.monotonic() - start);
    } catch (error) {
      onFailed((failure = SluiceError.from(error)));
    }
    for (const { settle } of blocks) settle(failure);
  }

  /** Takes the blocks that are there until the batch is full. */
  async #fill(batch: SortedBlocks, blocks: Waiting[]): Promise<void> {
    const { clock, batchRows, batchBytes } = this.#options;
    const pace = new Pace(clock);
    let bytes = 0;
    for (let left = this.#queue.length; left > 0; left--) {
      if (blocks.length > 0 && (batch.records >= batchRows || bytes >= batchBytes)) return;
      // Another writer may have taken it meanwhile.
      const next = this.#queue.shift();
      if (next === undefined) return;
      blocks.push(next);
      bytes += next.block.length;
      this.#queuedBytes -= next.block.length;
      await batch.add(next, pace);
    }
  }
}
