import { describe, expect, it } from 'vitest';
import { FakeClock } from './fake-clock.ts';

describe('FakeClock', () => {
  it('fires at N, not at N - 1, in the order of time', () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    clock.schedule(20, () => fired.push(`b@${clock.monotonic()}`));
    clock.schedule(10, () => fired.push(`a@${clock.monotonic()}`));
    clock.advance(9);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual(['a@10']);
    clock.advance(100);
    expect(fired).toEqual(['a@10', 'b@20']);
  });

  it('fires timers that a timer sets within the same advance, and no cancelled ones', () => {
    const clock = new FakeClock();
    const fired: number[] = [];
    const cancelled = clock.schedule(15, () => fired.push(-1));
    clock.schedule(10, () => {
      cancelled.cancel();
      clock.schedule(10, () => fired.push(clock.monotonic()));
    });
    clock.advance(30);
    expect(fired).toEqual([20]);
    expect(clock.pendingTimers).toBe(0);
  });
});
