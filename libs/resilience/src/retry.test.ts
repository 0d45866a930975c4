import { errorKinds } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { jittered } from './backoff.ts';
import { Deadline, sleep } from './deadline.ts';
import { RetryBudget } from './retry-budget.ts';
import { mayRetry } from './retry-rule.ts';
import type { FailedAttempt } from './retry-rule.ts';

const origins = ['answered', 'unsent', 'lost', 'local'] as const;
const attempts: FailedAttempt[] = errorKinds.flatMap((kind) =>
  origins.flatMap((origin) =>
    [true, false].flatMap((idempotent) =>
      [0, 1, 2].flatMap((lostPeers) =>
        [undefined, 100].map((retryAfterMs) => ({ kind, origin, idempotent, lostPeers, retryAfterMs })),
      ),
    ),
  ),
);

describe('mayRetry', () => {
  it('never repeats what this side gave up', () => {
    for (const attempt of attempts.filter(({ origin }) => origin === 'local')) expect(mayRetry(attempt)).toBe('fail');
  });

  it('always repeats what never left', () => {
    for (const attempt of attempts.filter(({ origin }) => origin === 'unsent')) expect(mayRetry(attempt)).toBe('retry');
  });

  it('repeats after one lost peer when that does no harm, and never after two', () => {
    for (const attempt of attempts.filter(({ origin }) => origin === 'lost')) {
      expect(mayRetry(attempt)).toBe(attempt.lostPeers >= 2 ? 'poison' : attempt.idempotent ? 'retry' : 'fail');
    }
  });

  it('repeats an answer only when the peer had not begun: a full queue, or not ready', () => {
    for (const attempt of attempts.filter(({ origin }) => origin === 'answered')) {
      const isFull = attempt.kind === 'resource-exhausted' && attempt.retryAfterMs !== undefined;
      const retried = isFull || attempt.kind === 'unavailable';
      expect(mayRetry(attempt)).toBe(retried ? 'retry' : 'fail');
    }
  });
});

describe('RetryBudget', () => {
  it('lets a burst through, then one retry in five requests', () => {
    const budget = new RetryBudget({ burst: 3 });
    expect([1, 2, 3, 4].map(() => budget.tryTake())).toEqual([true, true, true, false]);
    let retries = 0;
    for (let request = 0; request < 1_000; request++) {
      budget.requested();
      if (budget.tryTake()) retries++;
    }
    expect(retries).toBe(200);
  });

  it('gives a retry at exactly the fifth request, not at the fourth', () => {
    const budget = new RetryBudget({ burst: 1 });
    expect(budget.tryTake()).toBe(true);
    for (let request = 0; request < 4; request++) budget.requested();
    expect(budget.tryTake()).toBe(false);
    budget.requested();
    expect(budget.tryTake()).toBe(true);
  });

  it('saves no more than its burst, also after the burst changed', () => {
    const budget = new RetryBudget({ burst: 64 });
    budget.setBurst(2);
    expect([1, 2, 3].map(() => budget.tryTake())).toEqual([true, true, false]);
  });

  it('has what a larger burst adds at once, and not what was spent before', () => {
    const budget = new RetryBudget({ burst: 4 });
    budget.tryTake();
    budget.setBurst(64);
    expect(budget.tokens).toBe(63);
  });

  it('keeps what it is told to keep', () => {
    const budget = new RetryBudget({ burst: 4 });
    expect([1, 2, 3].map(() => budget.tryTake(2))).toEqual([true, true, false]);
    expect(budget.tryTake()).toBe(true);
  });

  it('refuses bounds that make no sense', () => {
    for (const options of [{ burst: 0 }, { burst: Infinity }, { burst: 1, ratio: 0 }, { burst: 1, ratio: 1.1 }])
      expect(() => new RetryBudget(options)).toThrow(RangeError);
  });
});

describe('jittered', () => {
  const options = { baseMs: 100, maxMs: 1_000 };
  const at = (uniform: number) => ({ uniform: () => uniform });

  it.each([
    [1, 50, 100],
    [2, 100, 200],
    [4, 400, 800],
    [5, 500, 1_000],
    [1_000, 500, 1_000],
  ])('retry %i waits %i to %i ms', (retry, least, most) => {
    expect(jittered(retry, options, at(0))).toBe(least);
    expect(jittered(retry, options, at(1))).toBe(most);
  });

  it('waits as long as it was asked to', () => {
    expect(jittered(1, options, at(0), 5_000)).toBe(5_000);
  });
});

describe('Deadline', () => {
  it('counts down to exactly its end, and does not care about the machine clock', () => {
    const clock = new FakeClock();
    const deadline = Deadline.at(clock, clock.now() + 100);
    clock.advance(99);
    expect([deadline.remainingMs(), deadline.expired]).toEqual([1, false]);
    clock.advance(1);
    expect([deadline.remainingMs(), deadline.expired]).toEqual([0, true]);
    clock.advance(50);
    expect(deadline.remainingMs()).toBe(0);
    expect(deadline.epochMs()).toBe(clock.now() - 50);
  });

  it('has a fallback, none at all, and an earlier one for the next hop', () => {
    const clock = new FakeClock();
    expect(Deadline.at(clock, undefined, 30_000).remainingMs()).toBe(30_000);
    expect(Deadline.at(clock, Number.POSITIVE_INFINITY).remainingMs()).toBe(Number.POSITIVE_INFINITY);
    expect(Deadline.after(clock, 1_000).earlier(5).remainingMs()).toBe(995);
  });

  it('waits only when the whole wait fits', async () => {
    const clock = new FakeClock();
    const deadline = Deadline.after(clock, 100);
    expect(await deadline.wait(100)).toBe(false);
    const waited = deadline.wait(99);
    clock.advance(99);
    expect(await waited).toBe(true);
  });

  it('stops waiting when the signal aborts, and leaves no timer', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const waiting = sleep(clock, 100, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled' });
    await expect(sleep(clock, 100, controller.signal)).rejects.toMatchObject({ kind: 'cancelled' });
    expect(clock.pendingTimers).toBe(0);
  });
});
