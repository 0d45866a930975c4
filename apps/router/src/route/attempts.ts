import { SluiceError, unavailable } from '@sluice/domain/errors';
import { maxLostPeers, mayRetry } from '@sluice/resilience/retry-rule';
import type { FailureOrigin } from '@sluice/resilience/retry-rule';
import { isOfVersion } from './fall-back.ts';

/** How one attempt at a runtime failed. */
export interface AttemptFailure {
  readonly origin: FailureOrigin;
  readonly error: SluiceError;
  /** Whether the answer's message had arrived whole: the runtime was done with the request. */
  readonly messageArrived: boolean;
}

/** Where tokens for retries come from. */
export interface RetryTokens {
  /** Takes one; false when there is none for a retry after such a failure. */
  tryTake(after: FailureOrigin): boolean;
}

/** Attempts of one request in all: more would only add load where versions are going away. */
export const maxAttempts = 3;

/**
 * Decides, after each failed attempt of one request, whether it may go to another runtime. The rule of libs/resilience
 * says which failures may be repeated; here they are counted, and a request never goes to the same runtime twice.
 *
 * | attempt ended                                              | then                                                  |
 * | ---------------------------------------------------------- | ----------------------------------------------------- |
 * | unsent                                                     | another runtime                                       |
 * | lost, for the first time                                   | another runtime, unless it belongs to a sequence      |
 * | lost, for the second time                                  | INTERNAL, never sent again                            |
 * | lost after the answer's message, before its status         | another runtime; it does not count as lost with it    |
 * | answered UNAVAILABLE or NOT_FOUND                          | another runtime                                       |
 * | answered RESOURCE_EXHAUSTED with a time to come back       | another runtime                                       |
 * | answered anything else, a watchdog's INTERNAL too          | that answer                                           |
 * | local: deadline, cancellation                              | that failure                                          |
 *
 * "Another runtime" needs one that has the version and has not had the request, a token of the retry budget, and one of
 * the request's three attempts. A runtime that is asked to load the version and cannot takes neither token nor attempt.
 *
 * Where another version may answer instead, losses are counted on, and it may have what is left of the three attempts, but one
 * at least.
 */
export class Attempts {
  #version: { readonly model: string; readonly text: string };
  readonly #tokens: RetryTokens;
  readonly #idempotent: boolean;
  #made = 0;
  #lost = 0;

  /**
   * @param version what messages name
   * @param idempotent false for a request of a sequence: a runtime that was lost may have counted it
   */
  constructor(version: { readonly model: string; readonly text: string }, tokens: RetryTokens, idempotent: boolean) {
    this.#version = version;
    this.#tokens = tokens;
    this.#idempotent = idempotent;
  }

  started(): void {
    this.#made++;
  }

  /** The last attempt was of a runtime that cannot have the version at all: it is none of the three. */
  uncounted(): void {
    this.#made--;
  }

  /**
   * @param others whether there is a runtime that has the version and has not had the request
   * @returns the error to answer with, or undefined when the request is to go to another runtime
   */
  failed(failure: AttemptFailure, others: boolean): SluiceError | undefined {
    // A runtime that had sent the message of its answer did not end because of this request.
    if (failure.origin === 'lost' && !failure.messageArrived) this.#lost++;
    const { retryAfterMs } = failure.error;
    const attempt = { ...failure, kind: kindOf(failure), retryAfterMs };
    switch (mayRetry({ ...attempt, idempotent: this.#idempotent, lostPeers: this.#lost })) {
      case 'fail':
        if (failure.origin !== 'lost') return failure.error;
        return this.#last(failure, 'the request belongs to a sequence');
      case 'poison':
        return new SluiceError(
          'internal',
          `model ended its runtime: ${maxLostPeers} runtimes were lost while they worked on this request of ${this.#what}`,
        );
      case 'retry':
        break;
    }
    if (!others) return this.#last(failure, `no other runtime has ${this.#what}`);
    if (this.#made >= maxAttempts) return this.#last(failure, `${maxAttempts} runtimes were tried for ${this.#what}`);
    if (!this.#tokens.tryTake(failure.origin)) return this.#last(failure, 'too many requests are being retried');
    return undefined;
  }

  /**
   * What could not be had of the version is to be asked of another one.
   *
   * @param error what the request would be answered with
   * @param last how the last attempt failed; undefined when nothing was sent, or nothing since a token was taken
   * @returns whether it may be sent there
   */
  instead(
    version: { readonly model: string; readonly text: string },
    error: SluiceError,
    last: FailureOrigin | undefined,
  ): boolean {
    if (!isOfVersion(error) || this.#lost >= maxLostPeers) return false;
    if (last !== undefined && !this.#tokens.tryTake(last)) return false;
    this.#made = Math.min(this.#made, maxAttempts - 1);
    this.#version = version;
    return true;
  }

  get #what(): string {
    return `${this.#version.model} version ${this.#version.text}`;
  }

  #last(failure: AttemptFailure, why: string): SluiceError {
    switch (failure.origin) {
      case 'unsent':
        return unavailable(`the runtime could not be reached and ${why}`, { cause: failure.error });
      case 'lost':
        return unavailable(`the runtime was lost while it worked on the request and ${why}`, { cause: failure.error });
      case 'answered':
        return failure.error.kind === 'not-found'
          ? unavailable(`the runtime does not have ${this.#what} any more and ${why}`, { cause: failure.error })
          : failure.error;
      case 'local':
        return failure.error;
    }
  }
}

/** To a runtime, a version that it has unloaded is unknown; this router knows that it exists and is not there now. */
function kindOf(failure: AttemptFailure): SluiceError['kind'] {
  return failure.origin === 'answered' && failure.error.kind === 'not-found' ? 'unavailable' : failure.error.kind;
}

/**
 * What an attempt says of a runtime and a version: that it is in trouble, that it is there, that it did not answer in the
 * time that the caller gave it, or nothing.
 */
export function verdictOf(failure: AttemptFailure): 'broken' | 'there' | 'silent' | 'nothing' {
  switch (failure.origin) {
    case 'unsent':
    case 'lost':
      return 'broken';
    case 'local':
      return failure.error.kind === 'deadline-exceeded' ? 'silent' : 'nothing';
    case 'answered': {
      const { kind } = failure.error;
      // The same deadline ends the call here and there; which end sees it first is chance.
      if (kind === 'deadline-exceeded') return 'silent';
      // Neither a full queue nor an input that the model cannot take must look like a broken version.
      return kind === 'internal' || kind === 'data-loss' || kind === 'unavailable' ? 'broken' : 'there';
    }
  }
}
