import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';

/**
 * How an attempt failed: `answered` by the runtime's own code, `unsent` (it never got there), `lost` (the runtime went
 * away while it had the request) or `local` (this side gave up: deadline or cancellation).
 */
export type FailureOrigin = 'answered' | 'unsent' | 'lost' | 'local';

export interface AttemptFailure {
  readonly origin: FailureOrigin;
  readonly error: SluiceError;
  /** Whether any byte of an answer had arrived when the runtime was lost: the request is not sent elsewhere then. */
  readonly firstByte: boolean;
}

/** Where tokens for retries come from. */
export interface RetryTokens {
  /** Takes one when there is one. */
  take(): boolean;
}

/** Attempts of one request in all: more would only add load where versions are going away. */
export const maxAttempts = 3;

/** After two lost runtimes the request itself is the suspect: it must not walk through the fleet. */
const maxLost = 2;

/**
 * Decides, after each failed attempt of one request, whether it may go to another runtime. It is never sent to the same
 * one again: the caller keeps the list of those that had it.
 *
 * | attempt ended                                 | then                                                          |
 * | --------------------------------------------- | ------------------------------------------------------------- |
 * | unsent                                        | another runtime                                               |
 * | lost, for the first time                      | another runtime, unless a byte of its answer had arrived      |
 * | lost, for the second time                     | INTERNAL, never sent again                                    |
 * | answered UNAVAILABLE or NOT_FOUND             | another runtime: this one does not have the version any more  |
 * | answered anything else, a watchdog's too      | that answer                                                   |
 * | local                                         | that failure                                                  |
 *
 * "Another runtime" takes a token of the retry budget and one of the request's attempts.
 */
export class Attempts {
  readonly #version: { readonly model: string; readonly text: string };
  readonly #tokens: RetryTokens;
  #made = 0;
  #lost = 0;

  /** @param version what messages name */
  constructor(version: { readonly model: string; readonly text: string }, tokens: RetryTokens) {
    this.#version = version;
    this.#tokens = tokens;
  }

  get #what(): string {
    return `${this.#version.model} version ${this.#version.text}`;
  }

  get made(): number {
    return this.#made;
  }

  started(): void {
    this.#made++;
  }

  /**
   * @param others whether there is a runtime that has the version and has not had the request
   * @returns the error to answer with, or undefined when the request is to go to another runtime
   */
  failed(failure: AttemptFailure, others: boolean): SluiceError | undefined {
    if (failure.origin === 'local') return failure.error;
    if (failure.origin === 'answered' && !goesAway(failure.error.kind)) return failure.error;
    if (failure.origin === 'lost' && ++this.#lost >= maxLost) {
      return new SluiceError(
        'internal',
        `model ended its runtime: ${maxLost} runtimes were lost while they worked on this request of ${this.#what}`,
      );
    }
    if (failure.firstByte) return this.#last(failure, 'its answer had begun');
    if (!others) return this.#last(failure, `no other runtime has ${this.#what}`);
    if (this.#made >= maxAttempts) return this.#last(failure, `${maxAttempts} runtimes were tried for ${this.#what}`);
    if (!this.#tokens.take()) return this.#last(failure, 'too many requests are being retried');
    return undefined;
  }

  #last(failure: AttemptFailure, why: string): SluiceError {
    switch (failure.origin) {
      case 'unsent':
        return unavailable(`the runtime could not be reached and ${why}`, { cause: failure.error });
      case 'lost':
        return unavailable(`the runtime was lost while it worked on the request and ${why}`, { cause: failure.error });
      case 'answered':
        return failure.error.kind === 'unavailable'
          ? failure.error
          : unavailable(`the runtime does not have ${this.#what} any more and ${why}`, { cause: failure.error });
      case 'local':
        return failure.error;
    }
  }
}

/** Answers of a runtime that lost the version, or is leaving, after the router chose it. */
function goesAway(kind: ErrorKind): boolean {
  return kind === 'unavailable' || kind === 'not-found';
}

/** Whether a failure says that a runtime is in trouble with a version; what callers caused does not count. */
export function countsAgainstRuntime(failure: AttemptFailure): boolean {
  switch (failure.origin) {
    case 'unsent':
    case 'lost':
      return true;
    case 'local':
      return false;
    case 'answered':
      return failure.error.kind === 'internal' || failure.error.kind === 'data-loss' || goesAway(failure.error.kind);
  }
}
