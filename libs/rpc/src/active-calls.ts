import type { Clock, Timer } from '@sluice/domain/clock';
import { LinkedList } from '@sluice/wire/linked-list';
import type { ListEntry } from '@sluice/wire/linked-list';

/** A call that was accepted and not yet answered. */
export interface ActiveCall {
  readonly method: string;
  readonly peer: string;
  /** Clock.monotonic() at its start. */
  readonly startedMs: number;
  /** Its places among all calls, and among those with the default deadline; only `ActiveCalls` writes them. */
  active?: ListEntry<ActiveCall> | undefined;
  undated?: ListEntry<ActiveCall> | undefined;
  /** Ends it from the server's side. */
  expire(): void;
}

/** How long a default deadline may overrun. */
const sweepMs = 250;

/**
 * The calls in flight, in the order of their starts. Calls without a deadline of their own all get the same one, so they
 * expire in that order too, and one timer that looks at the oldest serves them all.
 */
export class ActiveCalls {
  readonly #clock: Clock;
  readonly #defaultDeadlineMs: number;
  readonly #all = new LinkedList<ActiveCall>();
  readonly #undated = new LinkedList<ActiveCall>();
  #sweep: Timer | undefined;

  constructor(clock: Clock, defaultDeadlineMs: number) {
    this.#clock = clock;
    this.#defaultDeadlineMs = defaultDeadlineMs;
  }

  /** @param undated true when the default deadline applies */
  add(call: ActiveCall, undated: boolean): void {
    call.active = this.#all.add(call);
    if (!undated) return;
    call.undated = this.#undated.add(call);
    this.#sweep ??= this.#clock.schedule(this.#defaultDeadlineMs, () => this.#expireOldest());
  }

  delete(call: ActiveCall): void {
    this.#all.remove(call.active);
    this.#undated.remove(call.undated);
  }

  get size(): number {
    return this.#all.size;
  }

  /** A copy: ending a call removes it. */
  list(): ActiveCall[] {
    return [...this.#all];
  }

  /** One line per call, the oldest first, at most `limit`. */
  describe(limit = 20): string[] {
    const now = this.#clock.monotonic();
    const lines: string[] = [];
    for (const call of this.#all) {
      if (lines.length === limit) {
        lines.push(`and ${this.#all.size - limit} more`);
        break;
      }
      lines.push(`${call.method} from ${call.peer} for ${Math.round(now - call.startedMs)} ms`);
    }
    return lines;
  }

  #expireOldest(): void {
    this.#sweep = undefined;
    const now = this.#clock.monotonic();
    for (const call of this.#undated) {
      const left = call.startedMs + this.#defaultDeadlineMs - now;
      if (left > 0) {
        this.#sweep = this.#clock.schedule(Math.max(left, sweepMs), () => this.#expireOldest());
        return;
      }
      this.#undated.remove(call.undated);
      call.expire();
    }
  }
}
