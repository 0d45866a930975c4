import { ConnectionError } from '../errors.ts';
import { floodKinds } from './limits.ts';
import type { FloodKind, FloodLimit } from './limits.ts';

/** Clients of gRPC that find exactly this in a GOAWAY ping more seldom from then on (gRFC A8). */
const tooManyPings = 'too_many_pings';

/**
 * Counts frames that are cheap to send and not to receive: by kind a bucket that fills with each and leaks by the second. A connection
 * that sends none pays nothing.
 */
export class Floods {
  readonly #limits: Readonly<Record<FloodKind, FloodLimit>>;
  readonly #now: () => number;
  readonly #levels = new Float64Array(floodKinds.length);
  readonly #times = new Float64Array(floodKinds.length);

  /** @param now milliseconds, monotonic */
  constructor(limits: Readonly<Record<FloodKind, FloodLimit>>, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#times.fill(now());
  }

  /** @throws ConnectionError ENHANCE_YOUR_CALM when it is one too many */
  count(kind: FloodKind): void {
    const at = floodKinds.indexOf(kind);
    const { burst, perSecond } = this.#limits[kind];
    const level = this.#levels[at]! + 1;
    this.#levels[at] = level;
    if (level <= burst) return;
    // The clock is read only where it can make a difference.
    const now = this.#now();
    const leaked = ((now - this.#times[at]!) * perSecond) / 1000;
    this.#times[at] = now;
    this.#levels[at] = Math.max(1, level - leaked);
    if (this.#levels[at] > burst)
      throw new ConnectionError(
        'ENHANCE_YOUR_CALM',
        `too many frames (${kind}): ${burst}, and ${perSecond} a second`,
        kind === 'pings' ? tooManyPings : undefined,
      );
  }
}
