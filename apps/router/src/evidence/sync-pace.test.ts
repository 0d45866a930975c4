import { describe, expect, it } from 'vitest';
import { SyncPace } from './sync-pace.ts';

/** One whose disk and models are known. */
function known(syncMs: number, answerMs: number): SyncPace {
  const pace = new SyncPace();
  pace.synced(syncMs);
  pace.answered(answerMs);
  return pace;
}

describe('a block of durable records', () => {
  it('waits for half of a sync at most, while a request is under way whose answer takes less than one', () => {
    const pace = known(6, 1);
    expect(pace.waitMs).toBe(0);
    const generation = pace.began();
    expect([pace.isExpecting, pace.waitMs]).toEqual([true, 3]);
    pace.left(generation);
    expect([pace.isExpecting, pace.waitMs]).toEqual([false, 0]);
  });

  it.each([
    ['answers take as long as a sync', 6, 6, 0],
    ['answers take a little less', 6, 5.9, 3],
    ['that were less than timers are good for', 1.9, 0.1, 0],
    ['that is what they are good for', 2, 0.1, 1],
    ['the disk hangs', 5000, 1, 25],
    ['no sync is known', 0, 1, 0],
  ])('where %s: sync %d ms, answers %d ms, waits %d ms', (_what, syncMs, answerMs, waitMs) => {
    const pace = known(syncMs, answerMs);
    pace.began();
    expect(pace.waitMs).toBe(waitMs);
  });

  it('does not wait for requests that began before the last block but one: they are of a slow model', () => {
    const pace = known(6, 1);
    const slow = pace.began();
    pace.written();
    expect(pace.isExpecting).toBe(true);
    pace.written();
    expect(pace.isExpecting).toBe(false);
    const fast = pace.began();
    // That the slow one ends changes nothing.
    pace.left(slow);
    expect(pace.isExpecting).toBe(true);
    pace.written();
    pace.left(fast);
    expect(pace.isExpecting).toBe(false);
  });

  it('goes by what is usual, in which what is old counts less and less', () => {
    const pace = known(8, 1);
    pace.began();
    pace.synced(16);
    expect(pace.waitMs).toBe(4.5);
    for (let each = 0; each < 40; each++) pace.answered(10);
    expect(pace.waitMs).toBe(0);
  });
});
