import { describe, expect, it } from 'vitest';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { ErasureOrder } from './erasure.ts';
import type { PrivacyUpkeepOptions } from './privacy-upkeep.ts';
import { PrivacyUpkeep } from './privacy-upkeep.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
};

function world() {
  const clock = new FakeClock(1_000_000);
  const calls: string[] = [];
  const errors: string[] = [];
  const state = { last: 3, pending: 7, rewrap: 2, fails: undefined as Error | undefined, document: [4, 5] };
  const order = (number: number) => ({ number }) as ErasureOrder;
  const erasures = {
    last: async () => state.last,
    lastWithDocument: async () => {
      if (state.fails) throw state.fails;
      return state.last;
    },
    reapply: async ({ number }: ErasureOrder) => {
      calls.push(`reapply ${number}`);
      state.last = number;
      return true;
    },
    withoutDocument: async () => (state.last > 3 ? [] : [order(2), order(3)]),
    setDocument: async (number: number) => void calls.push(`documented ${number}`),
    settle: async () => void calls.push('settle'),
    countPending: async () => state.pending,
  };
  const options = {
    erasures,
    documents: {
      write: async ({ number }: ErasureOrder) => void calls.push(`write ${number}`),
      after: async function* (last: number) {
        for (const number of state.document) if (number > last) yield order(number);
      },
    },
    spools: { seen: async (spools: readonly object[]) => void calls.push(`seen ${spools.length}`) },
    keys: {
      rewrap: async () => (state.rewrap > 0 ? state.rewrap-- : 0),
      deleteUnused: async () => 0,
      deleteUnreadable: async (days: number) => (calls.push(`unreadable ${days}`) > 0 ? 0 : 0),
      vacuum: async () => void calls.push('vacuum'),
    },
    outbox: { fill: async () => ({ waiting: 9, oldestMs: 5 }), deleteOld: async () => 0 },
    open: () => [{ spool: { spoolId: 's', routerId: 'r' }, acknowledged: 1 }],
    ...{ clock, everyMs: 60_000, lookMs: 1_000, unreadableDays: 30 },
    announce: (number: number) => void calls.push(`announce ${number}`),
    onTakenUp: (count: number) => void calls.push(`taken up ${count}`),
    onDestroyed: () => undefined,
    onError: (_: unknown, what: string) => void errors.push(what),
  };
  const upkeep = new PrivacyUpkeep(options as unknown as PrivacyUpkeepOptions);
  return { clock, calls, errors, state, upkeep };
}

describe('upkeep of privacy', () => {
  it('takes up what the database lost, writes what the store lacks, and overwrites destroyed keys once for each order', async () => {
    const { clock, calls, state, upkeep } = world();
    state.document = [];
    upkeep.start();
    await turns();
    expect(calls).toEqual([
      ...['announce 3', 'write 2', 'documented 2', 'write 3', 'documented 3', 'seen 1', 'unreadable 30', 'settle'],
      'vacuum',
    ]);
    expect([upkeep.pending, upkeep.outbox, state.rewrap]).toEqual([7, { waiting: 9, oldestMs: 5 }, 0]);
    calls.length = 0;
    state.document = [4, 5];
    clock.advance(60_000);
    await turns();
    expect(calls.filter((call) => !call.startsWith('announce'))).toEqual([
      ...['reapply 4', 'reapply 5', 'taken up 2', 'seen 1', 'unreadable 30', 'settle', 'vacuum'],
    ]);
    calls.length = 0;
    clock.advance(60_000);
    await turns();
    expect(calls).not.toContain('vacuum');
    // One of them is done.
    state.pending = 6;
    clock.advance(60_000);
    await turns();
    expect(calls).toContain('vacuum');
    calls.length = 0;
    clock.advance(60_000);
    await turns();
    expect(calls).not.toContain('vacuum');
    await upkeep.close();
    clock.advance(120_000);
    await turns();
    expect(calls.filter((call) => call === 'settle')).toHaveLength(1);
  });

  it('looks for orders of other replicas every second, in silence while the database is away', async () => {
    const { clock, calls, errors, state, upkeep } = world();
    upkeep.start();
    await turns();
    calls.length = 0;
    state.fails = unavailable('away');
    clock.advance(1_000);
    await turns();
    expect([calls, errors]).toEqual([[], []]);
    state.fails = new SluiceError('internal', 'odd');
    clock.advance(1_000);
    await turns();
    expect(errors).toEqual(['looking for orders to erase']);
    state.fails = undefined;
    clock.advance(1_000);
    await turns();
    expect(calls).toEqual(['announce 5']);
    await upkeep.close();
  });
});
