import { SluiceError } from '@sluice/domain/errors';

export interface InFlightBounds {
  /** Requests that are being worked on at once; 0 means unlimited. */
  readonly requests: number;
  /** Bytes of those requests; 0 means unlimited. A single request may be larger when nothing else is in flight. */
  readonly bytes: number;
}

/** How long a caller that was turned away should wait. */
const retryAfterMs = 100;

/** Counts what is in flight and turns requests away beyond its bounds, before they are sent anywhere. */
export class InFlight {
  readonly #bounds: InFlightBounds;
  #requests = 0;
  #bytes = 0;
  #turnedAway = 0;

  constructor(bounds: InFlightBounds) {
    this.#bounds = bounds;
  }

  get requests(): number {
    return this.#requests;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /**
   * Counts a request in; call `leave` with the same size when it was answered.
   *
   * @throws SluiceError resource-exhausted when a bound is reached
   */
  enter(bytes: number): void {
    if (this.#bounds.requests > 0 && this.#requests >= this.#bounds.requests) {
      throw this.#full(`${this.#requests} requests are in flight, its bound is ${this.#bounds.requests}`);
    }
    if (this.#bounds.bytes > 0 && this.#requests > 0 && this.#bytes + bytes > this.#bounds.bytes) {
      throw this.#full(`requests in flight hold ${this.#bytes} bytes, its bound is ${this.#bounds.bytes}`);
    }
    this.#requests++;
    this.#bytes += bytes;
  }

  leave(bytes: number): void {
    this.#requests--;
    this.#bytes -= bytes;
  }

  #full(why: string): SluiceError {
    this.#turnedAway++;
    return new SluiceError('resource-exhausted', `the router is full: ${why}; try again`, { retryAfterMs });
  }
}
