import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { RegistryState } from '../usecases/state.ts';
import { MoveController } from './move-controller.ts';

/** Counts what is asked; what a controller does to real state is held by the integration tests. */
function setUp(options: { leads?: boolean; away?: boolean; chore?: () => Promise<void> } = {}) {
  const clock = new FakeClock();
  const reads: number[] = [];
  const errors: string[] = [];
  let leads = options.leads ?? true;
  let chores = 0;
  const state: RegistryState = {
    async read(fn) {
      reads.push(clock.now());
      if (options.away) throw unavailable('away');
      const nothing = { pendingMoves: async () => [], retainedOver: async () => [] };
      return fn(nothing as never);
    },
    change: () => Promise.reject(new Error('nothing is to be changed')),
  };
  const controller = new MoveController({
    state,
    leases: { readWithOutages: () => Promise.reject(new Error('no move needs leases')) },
    leads: () => leads,
    chores: [async () => void (chores += 1), ...(options.chore ? [options.chore] : [])],
    clock,
    retainMs: 1_000,
    onError: (_, what) => errors.push(what),
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
  };
  return { clock, controller, reads, errors, settle, chores: () => chores, lead: (now: boolean) => (leads = now) };
}

describe('the controller', () => {
  it('looks when woken and then once a second', async () => {
    const { controller, reads, clock, settle } = setUp();
    controller.wake();
    await settle();
    expect(reads).toHaveLength(2);
    clock.advance(999);
    await settle();
    expect(reads).toHaveLength(2);
    clock.advance(1);
    await settle();
    expect(reads).toHaveLength(4);
    await controller.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('does nothing while another replica leads', async () => {
    const { controller, reads, settle, lead, chores } = setUp({ leads: false });
    controller.wake();
    await settle();
    expect([reads.length, chores()]).toEqual([0, 0]);
    lead(true);
    controller.wake();
    await settle();
    expect([reads.length, chores()]).toEqual([2, 1]);
    await controller.close();
  });

  it('looks once more when it was woken while it looked', async () => {
    const { controller, reads, clock, settle } = setUp();
    controller.wake();
    controller.wake();
    controller.wake();
    await settle();
    clock.advance(0);
    await settle();
    expect(reads).toHaveLength(4);
    await controller.close();
  });

  it('ends moves while a chore takes its time, and does not begin the chores twice', async () => {
    let end = (): void => undefined;
    const slow = new Promise<void>((resolve) => (end = resolve));
    const { controller, reads, clock, settle, chores } = setUp({ chore: () => slow });
    controller.wake();
    await settle();
    clock.advance(1_000);
    await settle();
    expect([reads.length, chores()]).toEqual([4, 1]);
    let closed = false;
    const closing = controller.close().then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    end();
    await closing;
  });

  it('bears a database that is away', async () => {
    const { controller, errors, settle, chores } = setUp({ away: true });
    controller.wake();
    await settle();
    expect([errors, chores()]).toEqual([[], 1]);
    await controller.close();
  });
});
