import type { Random } from '@sluice/domain/clock';

/** What choosing needs to know of a runtime. */
export interface Load {
  /** Requests that were sent there and are not answered. */
  readonly inFlight: number;
}

/**
 * The less loaded of two runtimes that are drawn at random, which spreads load almost as well as knowing all of them
 * and never sends a herd to the one that looks idle.
 *
 * @returns undefined when there is none
 */
export function chooseRuntime<Runtime extends Load>(
  candidates: readonly Runtime[],
  random: Random,
): Runtime | undefined {
  const count = candidates.length;
  if (count < 2) return candidates[0];
  const first = Math.floor(random.uniform() * count);
  // The second is drawn from the others.
  const offset = 1 + Math.floor(random.uniform() * (count - 1));
  const one = candidates[first]!;
  const other = candidates[(first + offset) % count]!;
  return other.inFlight < one.inFlight ? other : one;
}
