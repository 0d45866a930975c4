import type { Random } from '@sluice/domain/clock';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import type { Breaker, Permit } from '@sluice/resilience/breaker';
import type { FailureOrigin } from '@sluice/resilience/retry-rule';
import type { Pieces, RawClientCall, RawOutcome } from '@sluice/rpc/raw-client';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import { Attempts, verdictOf } from './attempts.ts';
import type { AttemptFailure } from './attempts.ts';
import { candidatesFor, nextAfter, nowhere } from './candidates.ts';
import type { Candidates, WhereOptions } from './candidates.ts';
import { chooseRuntime } from './choose-runtime.ts';
import type { RouterRetryBudget } from './retry-tokens.ts';
import type { VersionTarget } from './table.ts';

/** Full name of the method that runtimes answer. */
export const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** How long callers should wait when every runtime's breaker is open. */
export const breakerRetryAfterMs = 1_000;

/** What sending to runtimes needs. */
export interface SendingOptions extends WhereOptions {
  readonly breakerOf: (link: RuntimeLink, key: string) => Breaker;
  readonly budget: RouterRetryBudget;
  /** Told of every attempt that failed, for metrics. */
  readonly onFailedAttempt: (version: VersionTarget, failure: AttemptFailure, retried: boolean) => void;
}

export interface ForwarderOptions extends SendingOptions {
  readonly random: Random;
}

/** One request on its way to a runtime. */
export interface ForwardedCall {
  /** Gives up: nothing is answered any more. @param why `deadline-exceeded` when no answer came in time */
  cancel(why: SluiceError['kind']): void;
}

/** A request, and who is told what becomes of it. */
export interface ForwardRequest {
  /** The message as the caller sent it. */
  readonly message: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /** The version that may answer when the one that it was sent to cannot; undefined for none. */
  readonly instead: VersionTarget | undefined;
  /** It is about to be sent there. */
  sending(link: RuntimeLink): void;
  /** An attempt failed, and it goes to another runtime. */
  retrying(error: SluiceError, outcome: RawOutcome): void;
  /** It goes to `instead` now. @param error what it would have been answered with */
  fallingBack(error: SluiceError, outcome: RawOutcome | undefined): void;
  /** Called once, unless the call is cancelled first. @param outcome of the last attempt, where there was one */
  done(error: SluiceError | undefined, answer: Pieces | undefined, outcome: RawOutcome | undefined): void;
}

/** Sends requests of no sequence to runtimes and, where the rules let it, to another one when an attempt fails. */
export class Forwarder {
  readonly options: ForwarderOptions;

  constructor(options: ForwarderOptions) {
    this.options = options;
  }

  /**
   * Starts a request; `done` may be called before this returns when there is nowhere to send it.
   *
   * @param suffix what follows its message, for the runtime
   */
  send(version: VersionTarget, suffix: Uint8Array | undefined, request: ForwardRequest): ForwardedCall {
    this.options.budget.requested();
    const forwarding = new Forwarding(this.options, version, suffix, request);
    forwarding.start();
    return forwarding;
  }
}

class Forwarding implements ForwardedCall {
  readonly #options: ForwarderOptions;
  readonly #request: ForwardRequest;
  readonly #attempts: Attempts;
  #version: VersionTarget;
  #suffix: Uint8Array | undefined;
  #tried: RuntimeLink[] | undefined;
  #link: RuntimeLink | undefined;
  #permit: Permit | undefined;
  #call: RawClientCall | undefined;
  #ended = false;
  /** It waits, or may, for its version to be loaded. */
  #waits = false;
  /** Given up because the caller's deadline passed. */
  #isLate = false;

  constructor(
    options: ForwarderOptions,
    version: VersionTarget,
    suffix: Uint8Array | undefined,
    request: ForwardRequest,
  ) {
    this.#options = options;
    this.#version = version;
    this.#suffix = suffix;
    this.#request = request;
    this.#attempts = new Attempts(version, options.budget, true);
  }

  start(): void {
    const candidates = candidatesFor(this.#options, this.#version);
    if (candidates.links.length === 0) this.#fail(nowhere(this.#options, this.#version), undefined, undefined);
    else if (!this.#send(candidates)) this.#fail(this.#broken(undefined), undefined, undefined);
  }

  cancel(why: SluiceError['kind']): void {
    this.#ended = true;
    this.#isLate = why === 'deadline-exceeded';
    this.#call?.cancel();
  }

  get #what(): string {
    return `${this.#version.model} version ${this.#version.text}`;
  }

  #broken(cause: SluiceError | undefined): SluiceError {
    const text = `${this.#what} keeps failing on every runtime that has it; try again later`;
    return unavailable(text, { retryAfterMs: breakerRetryAfterMs, ...(cause && { cause }) });
  }

  /** Sends to one of the candidates whose breaker lets it; false when there is none. */
  #send({ links, waits }: Candidates): boolean {
    const { key } = this.#version;
    let left = links;
    this.#waits = waits;
    for (;;) {
      const link = waits ? left[0] : chooseRuntime(left, this.#options.random);
      if (!link) return false;
      const permit = this.#options.breakerOf(link, key).begin();
      if (permit) {
        this.#sendTo(link, permit);
        return true;
      }
      left = left.filter((each) => each !== link);
    }
  }

  #sendTo(link: RuntimeLink, permit: Permit): void {
    const { message, deadlineMs, metadata } = this.#request;
    const suffix = this.#suffix;
    this.#link = link;
    this.#permit = permit;
    this.#attempts.started();
    this.#request.sending(link);
    const options = { deadlineMs, ...(metadata && { metadata }), ...(suffix && { suffix }) };
    try {
      this.#call = link.send(inferPath, message, options, (outcome) => this.#received(outcome));
    } catch (error) {
      // Nothing was sent: the link closed in this very moment, or refused the metadata.
      permit.release();
      this.#fail(SluiceError.from(error), undefined, undefined);
      return;
    }
    this.#options.budget.sent(link.inFlight);
  }

  #received(outcome: RawOutcome): void {
    const permit = this.#permit!;
    if (!outcome.error) {
      permit.succeed();
      this.#end(undefined, outcome.pieces ?? [outcome.message!], outcome);
      return;
    }
    const { origin } = outcome.error;
    const failure: AttemptFailure = { origin, error: outcome.error, messageArrived: outcome.messageArrived };
    settle(permit, failure, this.#isLate, this.#waits);
    if (!this.#ended) this.#retryOrFail(failure, outcome);
  }

  #retryOrFail(failure: AttemptFailure, outcome: RawOutcome): void {
    const version = this.#version;
    (this.#tried ??= []).push(this.#link!);
    const failed = { version, failure, tried: this.#tried, waits: this.#waits };
    const next = nextAfter(this.#options, this.#attempts, failed);
    const isOver = next instanceof SluiceError;
    this.#options.onFailedAttempt(version, failure, !isOver);
    if (isOver) {
      this.#fail(next, failure.origin, outcome);
      return;
    }
    this.#request.retrying(failure.error, outcome);
    // The token of this retry is spent: another version may have it.
    if (!this.#send(next)) this.#fail(this.#broken(failure.error), undefined, undefined);
  }

  /**
   * Its version cannot answer it.
   *
   * @param last how the last attempt failed, if that is what the request ends with
   */
  #fail(error: SluiceError, last: FailureOrigin | undefined, outcome: RawOutcome | undefined): void {
    if (this.#ended) return;
    const { instead } = this.#request;
    if (instead === undefined || !this.#attempts.instead(instead, error, last)) {
      this.#end(error, undefined, outcome);
      return;
    }
    this.#request.fallingBack(error, outcome);
    this.#version = instead;
    this.#suffix = instead.override;
    this.#tried = undefined;
    this.start();
  }

  #end(error: SluiceError | undefined, answer: Pieces | undefined, outcome: RawOutcome | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#request.done(error, answer, outcome);
  }
}

/**
 * Tells a breaker how an attempt failed.
 *
 * @param isLate it was given up because the caller's deadline passed
 * @param waits its version was loaded for it: that may take longer than a caller waits, and says nothing of the runtime
 */
export function settle(permit: Permit, failure: AttemptFailure, isLate: boolean, waits: boolean): void {
  const verdict = isLate && failure.origin === 'local' ? 'silent' : verdictOf(failure);
  switch (waits && verdict === 'silent' ? 'nothing' : verdict) {
    case 'broken':
      permit.fail(failure.error);
      return;
    case 'there':
      permit.succeed();
      return;
    case 'silent':
      permit.unanswered();
      return;
    case 'nothing':
      permit.release();
  }
}
