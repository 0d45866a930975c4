import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { UpkeepOptions } from './upkeep.ts';
import { Upkeep } from './upkeep.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
};

function world(overrides: { readonly ensure?: () => Promise<unknown>; readonly locks?: () => number } = {}) {
  const clock = new FakeClock(Date.UTC(2026, 11, 31, 23, 59));
  const calls: string[] = [];
  const errors: string[] = [];
  const expired = ['evidence_short_20200101', 'evidence_short_20200102'];
  const version = { model: 'digits', version: 3, versionDigest: 'd' };
  const unresolved = [version, { ...version, version: 4 }];
  const letters = [true, false];
  let rows = 2;
  let skewed = 1;
  const options: UpkeepOptions = {
    ...{ clock, everyMs: 1_000, retention: { short: 7, standard: 90, long: 730 } },
    days: {
      ensure: async (days) => {
        calls.push(...[...days].map(({ retentionClass, day }) => `make ${retentionClass} ${day}`));
        await overrides.ensure?.();
      },
      dropExpired: async (retentionClass, days) => {
        calls.push(`drop ${retentionClass} ${days}`);
        return retentionClass === 'short' ? expired.shift() : undefined;
      },
      list: async () => ['a day'],
      locks: async () => ({ taken: overrides.locks?.() ?? 10, room: 6_400 }),
    },
    rows: {
      unresolved: async () => unresolved,
      resolve: async ({ version: number }, known) => {
        calls.push(`flag ${number} ${known}`);
        return rows-- > 0 ? 1 : 0;
      },
      deleteSkewed: async (retentionClass, days) => {
        calls.push(`delete ${retentionClass} ${days}`);
        return retentionClass === 'long' && skewed-- > 0 ? 10_000 : 0;
      },
    },
    letters: {
      count: async () => 5,
      expire: async (days, limit) => {
        calls.push(`expire ${days}`);
        return letters.shift() === true ? limit : 2;
      },
    },
    deadLetterDays: 30,
    onExpired: (count) => calls.push(`expired ${count}`),
    versions: { resolve: async () => undefined, isKnown: ({ version: number }) => (number === 3 ? true : undefined) },
    onCrowded: ({ taken, room }) => calls.push(`crowded ${taken} of ${room}`),
    onDropped: (partition) => calls.push(`dropped ${partition}`),
    onError: (_, what) => errors.push(what),
  };
  return { clock, calls, errors, upkeep: new Upkeep(options) };
}

describe('upkeep', () => {
  it('makes three days of each class, drops all that expired, and flags what can be flagged, over and over', async () => {
    const { clock, calls, errors, upkeep } = world();
    upkeep.start();
    await turns();
    expect(calls.slice(0, 4)).toEqual([
      'make short 2026-12-31',
      'make short 2027-01-01',
      'make short 2027-01-02',
      'make standard 2026-12-31',
    ]);
    expect(calls.slice(9)).toEqual([
      ...['drop short 7', 'dropped evidence_short_20200101', 'drop short 7', 'dropped evidence_short_20200102'],
      ...[
        'drop short 7',
        'delete short 7',
        'drop standard 90',
        'delete standard 90',
        'drop long 730',
        'delete long 730',
        'delete long 730',
      ],
      ...['expire 30', 'expire 30', 'expired 1002'],
      ...['flag 3 true', 'flag 3 true', 'flag 3 true'],
    ]);
    expect([upkeep.deadLetters, upkeep.days, errors]).toEqual([5, ['a day'], []]);
    calls.length = 0;
    clock.advance(999);
    await turns();
    expect(calls).toEqual([]);
    clock.advance(1);
    await turns();
    expect(calls).toContain('make short 2026-12-31');
    await upkeep.close();
    clock.advance(5_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('says once that the database may run out of locks, again when there are more, and anew when it was well between', async () => {
    let taken = 2_133;
    const { clock, calls, upkeep } = world({ locks: () => taken });
    const round = async (locks: number): Promise<string[]> => {
      [taken, calls.length] = [locks, 0];
      clock.advance(1_000);
      await turns();
      return calls.filter((call) => call.startsWith('crowded'));
    };
    upkeep.start();
    await turns();
    expect(await round(2_133)).toEqual([]);
    expect(await round(2_134)).toEqual(['crowded 2134 of 6400']);
    expect(await round(2_340)).toEqual([]);
    expect(await round(2_400)).toEqual(['crowded 2400 of 6400']);
    expect(await round(100)).toEqual([]);
    expect(await round(2_200)).toEqual(['crowded 2200 of 6400']);
    await upkeep.close();
  });

  it('goes on with the rest when something fails', async () => {
    const { calls, errors, upkeep } = world({ ensure: () => Promise.reject(new Error('no')) });
    upkeep.start();
    await turns();
    expect(errors).toEqual(['making days ahead']);
    expect(calls).toContain('drop long 730');
    await upkeep.close();
  });
});
