import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { recordingLogger, settle } from '../../test/doubles.ts';
import { LeaseKeeper } from './lease-keeper.ts';

function setUp() {
  const clock = new FakeClock();
  const { logger, lines } = recordingLogger();
  const state = { revision: 5 as number | undefined, fails: false, renewed: [] as number[], released: 0 };
  let answer: ((ttlMs: number) => void) | undefined;
  const hold = { on: false, release: (ttlMs = 3000) => answer?.(ttlMs) };
  const keeper = new LeaseKeeper({
    clock,
    logger,
    ttlMs: 3000,
    appliedRevision: () => state.revision,
    renew: async (revision) => {
      state.renewed.push(revision);
      if (state.fails) throw new Error('registry is away');
      return hold.on ? new Promise<number>((resolve) => (answer = resolve)) : 3000;
    },
    release: async () => {
      state.released++;
    },
  });
  return { clock, lines, state, hold, keeper };
}

describe('LeaseKeeper', () => {
  it('renews every third of the time to live, at N and not at N - 1', async () => {
    const { clock, state, keeper } = setUp();
    keeper.renew();
    await settle();
    clock.advance(999);
    await settle();
    expect(state.renewed).toEqual([5]);
    clock.advance(1);
    await settle();
    expect(state.renewed).toEqual([5, 5]);
    expect(keeper.held).toBe(true);
  });

  it('renews at once when told, and again after a renewal that was under way', async () => {
    const { state, hold, keeper } = setUp();
    hold.on = true;
    keeper.renew();
    await settle();
    state.revision = 6;
    keeper.renew();
    keeper.renew();
    await settle();
    expect(state.renewed).toEqual([5]);
    hold.on = false;
    hold.release();
    await settle();
    expect(state.renewed).toEqual([5, 6]);
  });

  it('has no lease while there is no table', async () => {
    const { clock, state, keeper } = setUp();
    state.revision = undefined;
    keeper.renew();
    await settle();
    expect(keeper.held).toBe(false);
    state.revision = 1;
    clock.advance(1000);
    await settle();
    expect(state.renewed).toEqual([1]);
  });

  it('takes the time to live that the registry gives', async () => {
    const { clock, state, hold, keeper } = setUp();
    hold.on = true;
    keeper.renew();
    await settle();
    hold.release(600);
    await settle();
    clock.advance(200);
    await settle();
    expect(state.renewed).toHaveLength(2);
  });

  it('tries on while the registry is away and says so once', async () => {
    const { clock, state, lines, keeper } = setUp();
    state.fails = true;
    keeper.renew();
    for (let third = 0; third < 3; third++) {
      await settle();
      clock.advance(1000);
    }
    await settle();
    expect(state.renewed).toHaveLength(4);
    expect(keeper.held).toBe(false);
    expect(lines.filter((line) => line['severity'] === 'warn')).toHaveLength(1);
    state.fails = false;
    clock.advance(1000);
    await settle();
    expect(keeper.held).toBe(true);
  });

  it('tries sooner after a failure: two tries fit into what is left of the lease', async () => {
    const { clock, state, keeper } = setUp();
    keeper.renew();
    await settle();
    state.fails = true;
    clock.advance(1000);
    await settle();
    expect(state.renewed).toHaveLength(2);
    clock.advance(333);
    await settle();
    expect(state.renewed).toHaveLength(2);
    clock.advance(1);
    await settle();
    expect(state.renewed).toHaveLength(3);
  });

  it('releases a lease that it has when it stops, and renews no more', async () => {
    const { clock, state, keeper } = setUp();
    keeper.renew();
    await settle();
    await keeper.stop();
    expect(state.released).toBe(1);
    clock.advance(10_000);
    keeper.renew();
    await settle();
    expect(state.renewed).toEqual([5]);
  });
});
