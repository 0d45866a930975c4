import { FakeClock } from '@sluice/testkit/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { IdleSweep, type Brought } from './idle-sweep.ts';
import type { VersionState } from './version-state.ts';

let clock: FakeClock;
let there: One[];
let dropped: One[];
let sweep: IdleSweep<One>;

class One implements Brought {
  state: VersionState = 'ready';
  mayPass = false;
  isBusy = false;
  lastUsedMs = 0;

  demand(): void {
    this.lastUsedMs = clock.monotonic();
  }
}

beforeEach(() => {
  clock = new FakeClock();
  there = [];
  dropped = [];
  const drop = (gone: readonly One[]): void => {
    dropped.push(...gone);
    there = there.filter((one) => !gone.includes(one));
  };
  sweep = new IdleSweep({ clock, idleMs: 1_000, failedMs: 100, versions: () => there, drop });
});

describe('versions that requests brought', () => {
  it('go when they were not used for the whole time, each at its own', () => {
    const [first, second] = [new One(), new One()];
    second.lastUsedMs = 300;
    there = [first, second];
    sweep.later();
    clock.advance(999);
    expect(dropped).toEqual([]);
    clock.advance(1);
    expect(dropped).toEqual([first]);
    clock.advance(299);
    expect(dropped).toEqual([first]);
    clock.advance(1);
    expect(dropped).toEqual([first, second]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stay while they are used or busy', () => {
    const one = new One();
    there = [one];
    sweep.later();
    clock.advance(600);
    one.lastUsedMs = 600;
    clock.advance(600);
    one.isBusy = true;
    clock.advance(600);
    expect(dropped).toEqual([]);
    // It was busy at 1,600, which counts as a use.
    one.isBusy = false;
    clock.advance(799);
    expect(dropped).toEqual([]);
    clock.advance(1);
    expect(dropped).toEqual([one]);
  });

  it('go soon when they failed for want of something, so that they can be asked for again', () => {
    const [passing, failed] = [new One(), new One()];
    passing.state = failed.state = 'failed';
    passing.mayPass = true;
    there = [passing, failed];
    sweep.later();
    clock.advance(100);
    expect(dropped).toEqual([passing]);
    clock.advance(900);
    expect(dropped).toEqual([passing, failed]);
  });

  it('stay when the sweep is stopped', () => {
    there = [new One()];
    sweep.later();
    sweep.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
