import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { answerInTime } from './answer-in-time.ts';

const never = new Promise<never>(() => undefined);

describe('an answer in time', () => {
  it('is UNAVAILABLE at seven tenths of what the caller gave, not before', async () => {
    const clock = new FakeClock();
    let outcome = 'open';
    const answer = answerInTime(clock, clock.now() + 1_000, never).catch(
      (error: unknown) => (outcome = (error as { kind: string }).kind),
    );
    clock.advance(699);
    await Promise.resolve();
    expect(outcome).toBe('open');
    clock.advance(1);
    await answer;
    expect(outcome).toBe('unavailable');
  });

  it('is what the work gives, its failure too, and leaves no timer', async () => {
    const clock = new FakeClock();
    expect(await answerInTime(clock, clock.now() + 1_000, Promise.resolve(7))).toBe(7);
    await expect(answerInTime(clock, clock.now() + 1_000, Promise.reject(new Error('as it was')))).rejects.toThrow(
      'as it was',
    );
    expect(clock.pendingTimers).toBe(0);
  });

  it('waits for ever for a caller that does', async () => {
    expect(await answerInTime(new FakeClock(), undefined, Promise.resolve(7))).toBe(7);
  });
});
