import type { ErrorKind } from '@sluice/domain/errors';

/** Where a failure came from. Only `unsent` is safe to repeat whatever the method does. */
export type FailureOrigin =
  /** The other side's own code answered with it. */
  | 'answered'
  /** The request never reached the other side. */
  | 'unsent'
  /** The connection broke while the request was under way: it may have been carried out. */
  | 'lost'
  /** This side gave up: its deadline passed, or it cancelled. */
  | 'local';

export interface FailedAttempt {
  readonly kind: ErrorKind;
  readonly origin: FailureOrigin;
  /** Whether carrying the request out twice does no harm; false inside a sequence. */
  readonly idempotent: boolean;
  /**
   * What the peer said of when to come back, if it did. A bound that will be met again (a message too large, a disk that is
   * full) names no time, a queue that will have room does.
   */
  readonly retryAfterMs: number | undefined;
  /** Peers that went away while they worked on this request, this one included. */
  readonly lostPeers: number;
}

export type RetryDecision =
  /** Send it again, to another peer where there is one, if the budget and the deadline allow it. */
  | 'retry'
  /** Answer with this failure. */
  | 'fail'
  /** Two peers ended with this request in hand: never send it again, it may be what ends them. */
  | 'poison';

/** Peers that may be lost with a request in hand before it is held for the cause. */
export const maxLostPeers = 2;

/** Answers after which the same request may do better elsewhere, because the peer has not begun it. */
const answeredElsewhere: Readonly<Record<ErrorKind, boolean>> = {
  'invalid-argument': false,
  'not-found': false,
  'already-exists': false,
  'failed-precondition': false,
  conflict: false,
  'permission-denied': false,
  // A full queue here says nothing of the queue there; only with a time to come back.
  'resource-exhausted': true,
  'deadline-exceeded': false,
  cancelled: false,
  // Loading, or stopping.
  unavailable: true,
  'out-of-range': false,
  unimplemented: false,
  'data-loss': false,
  // The same input fails everywhere.
  'model-failed': false,
  // A watchdog's answer too: a request that hangs one runtime must not walk through the fleet.
  internal: false,
};

/**
 * What to do after a failed attempt. The caller still asks its budget and its deadline before it retries, and does not ask
 * at all once it has passed a byte of an answer on.
 */
export function mayRetry(attempt: FailedAttempt): RetryDecision {
  switch (attempt.origin) {
    case 'local':
      return 'fail';
    case 'unsent':
      return 'retry';
    case 'lost':
      if (attempt.lostPeers >= maxLostPeers) return 'poison';
      return attempt.idempotent ? 'retry' : 'fail';
    case 'answered':
      if (attempt.kind === 'resource-exhausted' && attempt.retryAfterMs === undefined) return 'fail';
      return answeredElsewhere[attempt.kind] ? 'retry' : 'fail';
  }
}
