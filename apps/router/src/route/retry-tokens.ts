import { RetryBudget } from '@sluice/resilience/retry-budget';
import type { FailureOrigin } from '@sluice/resilience/retry-rule';
import type { RetryTokens } from './attempts.ts';

/** Retries that a router has at its start, and the least that it saves up to. */
const smallestBurst = 512;

/**
 * The router's retry budget: a fifth of its traffic, saved up to at least twice as many as have been in flight to one
 * runtime, since a runtime that is lost sends all of them back at once. That half is kept for such a loss: full queues and
 * runtimes that stop do not spend it.
 */
export class RouterRetryBudget implements RetryTokens {
  readonly #budget = new RetryBudget({ ratio: 0.2, burst: smallestBurst });

  get tokens(): number {
    return this.#budget.tokens;
  }
  get burst(): number {
    return this.#budget.burst;
  }

  /** Counts a request, not its retries. */
  requested(): void {
    this.#budget.requested();
  }

  /** Told how many are in flight to the runtime that got the last one. */
  sent(inFlight: number): void {
    // In doublings, so that a rising load does not set it for every request.
    if (2 * inFlight > this.#budget.burst) this.#budget.setBurst(2 * this.#budget.burst);
  }

  tryTake(after: FailureOrigin): boolean {
    return this.#budget.tryTake(after === 'answered' ? this.#budget.burst / 2 : 0);
  }
}
