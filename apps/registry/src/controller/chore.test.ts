import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { chore } from './chore.ts';

describe('a chore', () => {
  it('runs when it is due, at N and not at N - 1, however often it is asked', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const sweep = chore(clock, 100, async () => (runs += 1));
    await sweep();
    clock.advance(99);
    await sweep();
    expect(runs).toBe(0);
    clock.advance(1);
    await sweep();
    await sweep();
    expect(runs).toBe(1);
    clock.advance(100);
    await sweep();
    expect(runs).toBe(2);
  });
});
