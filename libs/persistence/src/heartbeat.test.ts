import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { Heartbeat } from './heartbeat.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

describe('the heartbeat', () => {
  it('refuses callers at once while the database is away, and lets them through when it is back', async () => {
    const clock = new FakeClock();
    const changes: boolean[] = [];
    let fails = false;
    const heartbeat = new Heartbeat({
      beat: () => (fails ? Promise.reject(new Error('refused')) : Promise.resolve()),
      clock,
      onChange: (up) => changes.push(up),
      refusal: 'the service cannot reach its database',
    });
    heartbeat.start();
    await turns();
    heartbeat.require();
    fails = true;
    clock.advance(499);
    await turns();
    expect(changes).toEqual([]);
    clock.advance(1);
    await turns();
    expect(changes).toEqual([false]);
    expect(() => heartbeat.require()).toThrow(/cannot reach its database/);
    fails = false;
    clock.advance(500);
    await turns();
    expect(changes).toEqual([false, true]);
    heartbeat.require();
    heartbeat.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes a database that does not answer for one that is away', async () => {
    const clock = new FakeClock();
    const changes: boolean[] = [];
    const heartbeat = new Heartbeat({
      beat: () => new Promise(() => undefined),
      clock,
      onChange: (up) => changes.push(up),
      refusal: 'the service cannot reach its database',
      timeoutMs: 2_000,
    });
    heartbeat.start();
    clock.advance(1_999);
    await turns();
    expect(changes).toEqual([]);
    clock.advance(1);
    await turns();
    expect(changes).toEqual([false]);
    heartbeat.close();
  });
});
