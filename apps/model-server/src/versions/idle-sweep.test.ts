import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { IdleSweep } from './idle-sweep.ts';
import type { ServedVersion } from './served-version.ts';

interface Fake {
  readonly key: string;
  state: string;
  mayPass: boolean;
  lastUsedMs: number;
  isBusy: boolean;
  demand(): void;
}

function setUp() {
  const clock = new FakeClock();
  const there: Fake[] = [];
  const gone: string[] = [];
  const sweep = new IdleSweep({
    clock,
    idleMs: 60_000,
    versions: () => there as unknown as ServedVersion[],
    withdraw: ({ key }) => {
      gone.push(`${key}@${clock.monotonic()}`);
      const at = there.findIndex((each) => each.key === key);
      there.splice(at, 1);
    },
    swept: () => undefined,
  });
  const add = (key: string, more: Partial<Fake> = {}): Fake => {
    const fake: Fake = {
      ...{ key, state: 'ready', mayPass: false, lastUsedMs: clock.monotonic(), isBusy: false },
      demand: () => void (fake.lastUsedMs = clock.monotonic()),
      ...more,
    };
    there.push(fake);
    sweep.plan();
    return fake;
  };
  return { clock, sweep, add, gone };
}

describe('IdleSweep', () => {
  it('takes each version away when nobody has asked for it for so long, not before', () => {
    const { clock, add, gone } = setUp();
    add('a');
    clock.advance(10_000);
    const b = add('b');
    clock.advance(49_999);
    expect(gone).toEqual([]);
    b.lastUsedMs = clock.monotonic();
    clock.advance(1);
    expect(gone).toEqual(['a@60000']);
    clock.advance(100_000);
    expect(gone).toEqual(['a@60000', 'b@119999']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves what is busy, and takes soon what may come back if it is asked for', () => {
    const { clock, add, gone } = setUp();
    const busy = add('busy', { isBusy: true });
    add('passing', { state: 'failed', mayPass: true });
    add('broken', { state: 'failed' });
    clock.advance(5_000);
    expect(gone).toEqual(['passing@5000']);
    clock.advance(55_000);
    expect(gone).toEqual(['passing@5000', 'broken@60000']);
    busy.isBusy = false;
    clock.advance(59_999);
    expect(gone).toHaveLength(2);
    clock.advance(1);
    expect(gone.at(-1)).toBe('busy@120000');
  });

  it('stops', () => {
    const { clock, sweep, add, gone } = setUp();
    add('a');
    sweep.stop();
    clock.advance(1_000_000);
    expect(gone).toEqual([]);
  });
});
