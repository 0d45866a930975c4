import type { Clock, Random } from '@sluice/domain/clock';
import { jittered } from '@sluice/resilience/backoff';
import { Deadline } from '@sluice/resilience/deadline';
import { mayRetry } from '@sluice/resilience/retry-rule';
import { RpcError } from '@sluice/rpc/status';

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How long to go on while the other side is away or busy, in milliseconds; 0 sends every call once. */
  readonly retryForMs: number;
}

const backoff = { baseMs: 50, maxMs: 1_000 };

/**
 * Sends a call, and again after a failure that another attempt may cure: never reached, broken off (only when doing it
 * twice does no harm), not ready, queue full. Waits between attempts, longer each time, and never beyond the deadline.
 *
 * @throws RpcError of the last attempt
 */
export async function withRetries<T>(
  options: RetryOptions,
  call: {
    readonly idempotent: boolean;
    /** It changes state: an answer that it failed is believed only when it also says when to come back. */
    readonly change?: boolean;
    readonly deadlineMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  },
  attempt: () => Promise<T>,
): Promise<T> {
  const end = options.clock.now() + options.retryForMs;
  const deadline = Deadline.at(options.clock, Math.min(call.deadlineMs ?? Number.POSITIVE_INFINITY, end));
  for (let retry = 1; ; retry++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const { kind, origin, retryAfterMs } = error;
      // UNAVAILABLE is also what a registry answers whose database broke off at COMMIT: nobody knows whether the change
      // was made. Only a refusal before anything was begun names a time.
      if (call.change && origin === 'answered' && retryAfterMs === undefined) throw error;
      // A router that dies is not what a request does to it: that rule is for routers and their runtimes.
      const decision = mayRetry({
        kind,
        origin,
        idempotent: call.idempotent,
        retryAfterMs,
        lostPeers: 1,
      });
      if (decision !== 'retry') throw error;
      const waitMs = jittered(retry, backoff, options.random, error.retryAfterMs);
      if (!(await deadline.wait(waitMs, call.signal))) throw error;
    }
  }
}
