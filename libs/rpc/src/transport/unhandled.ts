import type { Clock } from '@sluice/domain/clock';
import type { CallObserver } from '@sluice/wire/grpc/server-call';
import type { RefusalRule } from '../refusals.ts';

/** Counts a call that ends before its handler has it, and has the trailers that every answer of its method has. */
export class Unhandled implements CallObserver {
  readonly #rule: RefusalRule;
  readonly #clock: Clock;
  readonly #startedMs: number;

  constructor(rule: RefusalRule, clock: Clock) {
    this.#rule = rule;
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
  }

  trailers(): readonly string[] {
    return Object.entries(this.#rule.trailers?.() ?? {}).flat();
  }

  refused(code: number): void {
    this.#rule.stats.started();
    this.#rule.stats.ended(code, this.#clock.monotonic() - this.#startedMs);
  }
}
