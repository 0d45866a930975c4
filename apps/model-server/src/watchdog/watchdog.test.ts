import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { ThreadDoing } from '../runtime/thread-mark.ts';
import { Watchdog, type Hang, type WatchedThread } from './watchdog.ts';

class Thread implements WatchedThread {
  now: ThreadDoing | undefined;
  doing(): ThreadDoing | undefined {
    return this.now;
  }
  begins(version: number, doing: ThreadDoing['doing'] = 'running'): void {
    this.now = { version, doing, step: (this.#step += 1) };
  }
  #step = 0;
}

let clock: FakeClock;
let threads: Thread[];
let hangs: Hang<Thread>[];
const watch = (runTimeoutMs: number, loadTimeoutMs: number) => {
  const hung = (hang: Hang<Thread>): void => void hangs.push(hang);
  const dog = new Watchdog({ clock, threads: () => threads, runTimeoutMs, loadTimeoutMs, hung });
  dog.start();
  return dog;
};

beforeEach(() => {
  clock = new FakeClock();
  threads = [new Thread(), new Thread()];
  hangs = [];
});

describe('the watchdog', () => {
  it('finds a batch that does not end within its limit, and says which, once', () => {
    watch(1_000, 0);
    threads[1]!.begins(7);
    // Seen for the first time after a pause.
    clock.advance(1_000);
    expect(hangs).toEqual([]);
    clock.advance(100);
    expect(hangs).toEqual([{ thread: threads[1], version: 7, doing: 'running', ms: 1_000 }]);
    clock.advance(10_000);
    expect(hangs).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets any number of batches pass that end in time, also of one version on end', () => {
    watch(1_000, 0);
    for (let batch = 0; batch < 20; batch += 1) {
      threads[0]!.begins(7);
      clock.advance(900);
    }
    threads[0]!.now = undefined;
    clock.advance(900);
    threads[0]!.begins(7);
    clock.advance(900);
    expect(hangs).toEqual([]);
  });

  it('has another limit for loads', () => {
    watch(1_000, 5_000);
    threads[0]!.begins(3, 'loading');
    clock.advance(5_000);
    expect(hangs).toEqual([]);
    clock.advance(100);
    expect(hangs).toMatchObject([{ version: 3, doing: 'loading', ms: 5_000 }]);
  });

  it('without limits never looks, and with one watches that alone', () => {
    watch(0, 0);
    expect(clock.pendingTimers).toBe(0);
    watch(0, 1_000);
    threads[0]!.begins(3, 'running');
    clock.advance(60_000);
    expect(hangs).toEqual([]);
  });

  it('does not hold it against a batch that the whole process stood still', () => {
    const late: (() => void)[] = [];
    const standing = Object.assign(new FakeClock(), {
      schedule: (_ms: number, fn: () => void) => {
        late.push(fn);
        return { cancel: () => undefined };
      },
    });
    clock = standing;
    watch(1_000, 0);
    threads[0]!.begins(7);
    late.shift()!();
    // Two hours in a sleeping machine: two pauses of 100 ms count.
    standing.advance(7_200_000);
    late.shift()!();
    expect(hangs).toEqual([]);
    for (let looks = 0; looks < 8; looks += 1) {
      standing.advance(100);
      late.shift()!();
    }
    expect(hangs).toMatchObject([{ ms: 1_000 }]);
  });

  it('forgets threads that are gone and stops when it is told to', () => {
    const dog = watch(1_000, 0);
    threads[0]!.begins(7);
    clock.advance(600);
    const [gone] = threads.splice(0, 1);
    clock.advance(600);
    threads.push(gone!);
    clock.advance(900);
    expect(hangs).toEqual([]);
    dog.stop();
    clock.advance(60_000);
    expect(hangs).toEqual([]);
  });

  it('looks at most once a second, and ten times within a shorter limit', () => {
    let looks = 0;
    const counting = new Thread();
    counting.doing = () => {
      looks += 1;
      return undefined;
    };
    threads = [counting];
    watch(60_000, 600_000).stop();
    watch(60_000, 600_000);
    clock.advance(10_000);
    expect(looks).toBe(10);
  });
});
