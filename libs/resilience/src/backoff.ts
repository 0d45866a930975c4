import type { Random } from '@sluice/domain/clock';

export interface BackoffOptions {
  /** Longest first wait, in milliseconds. */
  readonly baseMs: number;
  /** No wait is longer, in milliseconds. */
  readonly maxMs: number;
}

/**
 * How long to wait before attempt `retry` (1 is the first retry): doubling, and anywhere in the upper half of that, so that
 * clients that failed together do not return together.
 *
 * @param atLeastMs what the peer asked for; the wait is never shorter
 */
export function jittered(
  retry: number,
  options: BackoffOptions,
  random: Pick<Random, 'uniform'>,
  atLeastMs = 0,
): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(retry - 1, 52));
  return Math.max(atLeastMs, ceiling * (0.5 + random.uniform() / 2));
}
