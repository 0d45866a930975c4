/** A timer that has not fired yet. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as a port. `libs/service-kit` implements it on the machine's clock, `libs/testkit` on one that tests move by hand.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds from an arbitrary start, with fractions; never goes back. For durations and deadlines. */
  monotonic(): number;
  /** Calls `fn` once, `ms` milliseconds from now at the earliest. A pending timer does not keep the process alive. */
  schedule(ms: number, fn: () => void): Timer;
}

/** Random bytes as a port, so that ids and jitter can be repeated in tests. */
export interface Random {
  /** A number in [0, 1). */
  uniform(): number;
  bytes(count: number): Uint8Array;
}
