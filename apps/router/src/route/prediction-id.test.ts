import type { Clock, Random } from '@sluice/domain/clock';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { PredictionIds } from './prediction-id.ts';

const constant = (byte: number): Random => ({ uniform: () => 0, bytes: (count) => new Uint8Array(count).fill(byte) });

describe('PredictionIds', () => {
  it('makes UUIDs of version 7 that carry the time', () => {
    const clock = new FakeClock(Date.UTC(2022, 1, 22, 19, 22, 22));
    const ids = new PredictionIds(clock, constant(0xff));
    // The time of the example in RFC 9562, appendix A.6.
    expect(ids.next()).toBe('017f22e2-79b0-77ff-bfff-ffffffffffff');
    clock.advance(1);
    expect(ids.next()).toBe('017f22e2-79b1-77ff-bfff-ffffffffffff');
  });

  it('ascend within a millisecond, when the counter runs over, and when the clock goes back', () => {
    let now = 1_700_000_000_000;
    const clock: Clock = { now: () => now, monotonic: () => now, schedule: () => ({ cancel: () => undefined }) };
    const ids = new PredictionIds(clock, constant(0xff));
    const made: string[] = [];
    for (let index = 0; index < 5000; index++) made.push(ids.next());
    now -= 60_000;
    for (let index = 0; index < 10; index++) made.push(ids.next());
    now += 120_000;
    made.push(ids.next());
    expect(made).toEqual([...made].sort());
    expect(new Set(made).size).toBe(made.length);
    expect(made.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
  });
});
