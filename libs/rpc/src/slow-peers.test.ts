import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { ActiveCalls } from './active-calls.ts';
import { SlowPeers } from './slow-peers.ts';

describe('SlowPeers', () => {
  function make(limitMs = 100) {
    const clock = new FakeClock();
    const peers = new SlowPeers(clock, limitMs);
    const add = () => {
      const stream = {
        waitingSinceMs: undefined as number | undefined,
        endedAt: undefined as number | undefined,
        giveUp() {
          stream.endedAt = clock.monotonic();
          peers.delete(stream);
        },
      };
      peers.add(stream);
      return stream;
    };
    return { clock, peers, add };
  }

  it('ends a stream at exactly the limit, whenever it began to wait', () => {
    const { clock, add } = make();
    const [early, late] = [add(), add()];
    clock.advance(30);
    early.waitingSinceMs = 30;
    clock.advance(69);
    late.waitingSinceMs = 99;
    clock.advance(30);
    expect([early.endedAt, late.endedAt]).toEqual([undefined, undefined]);
    clock.advance(100);
    expect([early.endedAt, late.endedAt]).toEqual([130, 199]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('never ends one whose handler is what takes long', () => {
    const { clock, peers, add } = make();
    const stream = add();
    clock.advance(10_000);
    expect(stream.endedAt).toBeUndefined();
    peers.delete(stream);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does nothing without a limit', () => {
    const { clock, add } = make(0);
    add();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('ActiveCalls', () => {
  it('expires calls of the default deadline at or after it, the oldest first, and keeps no timer without calls', () => {
    const clock = new FakeClock();
    const active = new ActiveCalls(clock, 1_000);
    const expired: string[] = [];
    const add = (name: string, undated: boolean) => {
      const call = {
        method: name,
        peer: 'p',
        startedMs: clock.monotonic(),
        expire: () => {
          expired.push(`${name}@${clock.monotonic()}`);
          active.delete(call);
        },
      };
      active.add(call, undated);
      return call;
    };
    add('a', true);
    add('dated', false);
    clock.advance(400);
    const answered = add('b', true);
    add('c', true);
    active.delete(answered);
    clock.advance(599);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual(['a@1000']);
    clock.advance(400);
    expect(expired).toEqual(['a@1000', 'c@1400']);
    expect(active.describe()).toEqual(['dated from p for 1400 ms']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('names at most as many calls as asked for', () => {
    const active = new ActiveCalls(new FakeClock(), 1_000);
    for (let index = 0; index < 5; index++)
      active.add({ method: `m${index}`, peer: 'p', startedMs: 0, expire: () => undefined }, false);
    expect(active.describe(2)).toEqual(['m0 from p for 0 ms', 'm1 from p for 0 ms', 'and 3 more']);
  });
});
