import type { SluiceError } from '@sluice/domain/errors';
import type { RouteReason } from '@sluice/evidence/record';
import type { Pieces, RawOutcome } from '@sluice/rpc/raw-client';
import type { CallMetadata } from './call-metadata.ts';
import type { ArmRoute } from './release-route.ts';
import type { VersionTarget } from './table.ts';

/**
 * One attempt of one arm at one prediction. It is the object that the router has of the request anyway: it says something else a
 * moment later, so whoever wants to know more of it than `attemptEnded` does by its end copies it.
 */
export interface ObservedAttempt {
  readonly predictionId: string;
  /** The version that it was sent to, or was to be. */
  readonly version: VersionTarget;
  /** The arm that the request was assigned to, with its release; undefined when it named its version, or is not known. */
  readonly assigned: ArmRoute | undefined;
  /** The arm of `version`: the primary after a fallback. */
  readonly served: ArmRoute | undefined;
  readonly reason: RouteReason;
  /** Id of the rule that chose the arm; '' without one. */
  readonly rule: string;
  /** From 1, of the prediction and the assigned arm: on another runtime and by another arm it goes on. */
  readonly attempt: number;
  /** The runtime that it went to; '' where that was nowhere. */
  readonly runtimeId: string;
  /** How the assigned arm failed, for which another one serves; undefined without a fallback. */
  readonly fallback: SluiceError | undefined;
  /** When the request was there whole, in milliseconds of `Clock.monotonic()`. */
  readonly receivedMs: number;
  /** When the attempt was sent; where it was sent nowhere, when it ended. */
  readonly sentMs: number;
  /** The ModelInferRequest as it came. */
  readonly message: Uint8Array;
  /** The caller's own id; '' without one. */
  readonly requestId: string;
  /** Subject, unit key and caller. */
  readonly said: CallMetadata;
  readonly traceparent: string | undefined;
}

/** How an attempt ended. One object for all of them: it is filled anew for each. */
export interface AttemptEnd {
  /** In milliseconds of `Clock.monotonic()`. */
  endedMs: number;
  /** How it failed; undefined when it was answered. The last one of a prediction has what its caller was told. */
  error: SluiceError | undefined;
  /** Its caller was answered with this attempt, or its failure; of one that is stored first: will be, if it still waits by then. */
  answered: boolean;
  /** The ModelInferResponse as the runtime gave it; undefined when it failed. */
  answer: Pieces | undefined;
  /** What the runtime, or the link to it, ended it with, trailers too; undefined where it was not waited for. */
  outcome: RawOutcome | undefined;
}

/** Room for the evidence of one request, whose answer waits until it is stored. */
export interface EvidenceRoom {
  /**
   * Stores the record of the attempt that answers.
   *
   * @param done called once: when it is on disk, or with why it is not
   */
  store(attempt: ObservedAttempt, end: AttemptEnd, done: (failure?: SluiceError) => void): void;
  /** Gives the room back: there is no answer that waits. */
  release(): void;
}

/** Told of attempts, for evidence. */
export interface AttemptObserver {
  /**
   * Asked before a request is sent.
   *
   * @returns undefined when its answer does not wait for its evidence
   * @throws SluiceError when it does, and the evidence cannot be stored: resource-exhausted where there is no room
   */
  reserve(model: string, predictionId: string, messageBytes: number): EvidenceRoom | undefined;
  /**
   * An attempt has ended; its caller has been answered, if it was the one. There is one for each time that a request was
   * sent, and one that went nowhere where an arm could not be sent it at all. Nothing is told of requests that
   * were refused before they were let in, nor of those of a sequence that never had a place, but for starts that had no room for
   * their evidence, nor of an attempt that was stored in an `EvidenceRoom`. It must not throw.
   */
  attemptEnded(attempt: ObservedAttempt, end: AttemptEnd): void;
}

const end: AttemptEnd = { endedMs: 0, error: undefined, answered: false, answer: undefined, outcome: undefined };

/** What became of an attempt, in the one object. @param outcome undefined where it was not waited for, or nothing was sent */
export function endOf(
  endedMs: number,
  answered: boolean,
  error: SluiceError | undefined,
  answer: Pieces | undefined,
  outcome: RawOutcome | undefined,
): AttemptEnd {
  end.endedMs = endedMs;
  end.answered = answered;
  end.error = error;
  end.answer = answer;
  end.outcome = outcome;
  return end;
}

/** Nothing of a request is kept by that object. */
export function forgetEnd(): void {
  end.error = end.answer = end.outcome = undefined;
}

/** Tells an observer. */
export function tellEnd(
  observer: Pick<AttemptObserver, 'attemptEnded'>,
  attempt: ObservedAttempt,
  endedMs: number,
  answered: boolean,
  error: SluiceError | undefined,
  answer: Pieces | undefined,
  outcome: RawOutcome | undefined,
): void {
  observer.attemptEnded(attempt, endOf(endedMs, answered, error, answer, outcome));
  forgetEnd();
}
