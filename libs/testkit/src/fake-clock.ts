import type { Clock, Timer } from '@sluice/domain/clock';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
  cancelled: boolean;
}

/** A clock that stands still until a test advances it. Timers fire in the order of their times, then of their making. */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  #pending: Pending[] = [];
  readonly #epoch: number;

  constructor(epochMs = Date.UTC(2026, 0, 1)) {
    this.#epoch = epochMs;
    this.#now = 0;
  }

  now(): number {
    return this.#epoch + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  schedule(ms: number, fn: () => void): Timer {
    const entry: Pending = { at: this.#now + Math.max(0, ms), order: this.#order++, fn, cancelled: false };
    this.#pending.push(entry);
    return { cancel: () => (entry.cancelled = true) };
  }

  /** The number of timers that are set. */
  get pendingTimers(): number {
    return this.#pending.filter((entry) => !entry.cancelled).length;
  }

  /** Moves time forward by `ms`, firing what is due on the way, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#next(end);
      if (!due) break;
      this.#now = Math.max(this.#now, due.at);
      due.fn();
    }
    this.#now = end;
  }

  #next(end: number): Pending | undefined {
    this.#pending = this.#pending.filter((entry) => !entry.cancelled);
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (entry.at > end) continue;
      if (!first || entry.at < first.at || (entry.at === first.at && entry.order < first.order)) first = entry;
    }
    if (first) this.#pending.splice(this.#pending.indexOf(first), 1);
    return first;
  }
}
