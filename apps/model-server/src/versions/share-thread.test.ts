import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { SpeedWatch } from './share-thread.ts';

/** Microseconds of one batch that takes far too long. */
const slow = 1_000_000;

function setUp(suspectUntil?: number) {
  const clock = new FakeClock();
  const sessions = { sharesThread: true, suspectUntil };
  let moves = 0;
  const move = (): Promise<void> => {
    moves += 1;
    return Promise.resolve();
  };
  const watch = new SpeedWatch({ clock, sessions, move });
  return { clock, sessions, watch, moves: () => moves };
}

describe('SpeedWatch', () => {
  it('moves a slow version, and tries a move that did not help again after a minute, not with each batch', async () => {
    const { clock, watch, moves } = setUp();
    watch.ran(10);
    expect(moves()).toBe(0);
    watch.ran(slow);
    await watch.settled();
    for (let batch = 0; batch < 5; batch += 1) watch.ran(slow);
    clock.advance(59_999);
    watch.ran(slow);
    expect(moves()).toBe(1);
    clock.advance(1);
    watch.ran(slow);
    expect(moves()).toBe(2);
  });

  it('lets alone what has a thread of its own', () => {
    const { sessions, watch, moves } = setUp();
    sessions.sharesThread = false;
    watch.ran(slow);
    expect(moves()).toBe(0);
  });

  it('moves a suspect with the first batch after its time, however quick it is', () => {
    const { clock, watch, moves } = setUp(new FakeClock().now() + 1_000);
    clock.advance(999);
    watch.ran(slow);
    expect(moves()).toBe(0);
    clock.advance(1);
    watch.ran(1);
    expect(moves()).toBe(1);
  });
});
