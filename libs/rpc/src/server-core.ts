import type { SluiceError } from '@sluice/domain/errors';
import type { Clock } from '@sluice/domain/clock';
import type { Logger } from '@sluice/service-kit/logger';
import type { ActiveCalls } from './active-calls.ts';
import type { SlowPeers } from './slow-peers.ts';

/** What every call of one server shares. */
export interface ServerCore {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly active: ActiveCalls;
  readonly slowPeers: SlowPeers;
  readonly streamIdleMs: number;
  /** Largest answer. */
  readonly maxAnswerBytes: number;
  readonly defaultDeadlineMs: number;
  /**
   * Logs the cause of an INTERNAL answer: it is never sent. Of many alike, one per interval is logged.
   *
   * @param about what the call was about, such as a version, to tell its failures from those of others
   */
  logDefect(cause: unknown, method: string, peer: string, about?: string): void;
  /** Why the server ends a call that it did not answer: stopping, or the default deadline. */
  endingError(deadlineMs: number): SluiceError;
}
