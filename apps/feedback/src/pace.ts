import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '@sluice/domain/clock';

/** How long one thing may have the process to itself, in milliseconds: health checks and other streams wait for so long. */
const sliceMs = 5;

/** Looks at the clock once in so many items. */
const itemsPerLook = 16;

/** Cuts work over many items into slices, between which everything else gets its turn. */
export class Pace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #since: number;
  #items = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** To be asked behind each item: true when the slice is over, and `giveWay` is to be awaited. */
  isOver(): boolean {
    if (++this.#items % itemsPerLook !== 0) return false;
    return this.#clock.monotonic() - this.#since >= sliceMs;
  }

  async giveWay(): Promise<void> {
    await nextTurn();
    this.#since = this.#clock.monotonic();
  }
}
