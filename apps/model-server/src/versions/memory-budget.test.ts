import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holds, noRoomMessage, planRoom, type Asking, type Resident } from './memory-budget.ts';

const mib = 1 << 20;
const resident = (key: string, more: Partial<Resident> = {}): Resident => ({
  key,
  bytes: 10,
  hold: 'pin',
  ready: true,
  going: false,
  busy: false,
  sequences: false,
  lastUsedMs: 0,
  ...more,
});
const asking = (more: Partial<Asking> = {}): Asking => ({ bytes: 10, hold: 'pin', wantedMs: 100, ...more });
const victims = (budget: number, residents: readonly Resident[], who = asking()) => {
  const plan = planRoom(budget, residents, who);
  return plan.kind === 'wait' ? plan.victims.map(({ key }) => key) : plan.kind;
};

describe('planRoom', () => {
  it('fits up to the budget exactly', () => {
    expect(victims(20, [resident('a')])).toBe('fits');
    expect(victims(19, [resident('a')])).toEqual(['a']);
    expect(victims(0, [], asking({ bytes: 0 }))).toBe('fits');
    expect(victims(9, [])).toBe('no-room');
  });

  it('lets the least recently used go first, as many as it takes', () => {
    const all = [
      resident('new', { lastUsedMs: 9 }),
      resident('old', { lastUsedMs: 1 }),
      resident('mid', { lastUsedMs: 5 }),
    ];
    expect(victims(39, all)).toEqual(['old']);
    expect(victims(30, all)).toEqual(['old']);
    expect(victims(29, all)).toEqual(['old', 'mid']);
    expect(victims(10, all)).toEqual(['old', 'mid', 'new']);
    expect(victims(9, all)).toBe('no-room');
  });

  it('takes what is not placed before what is pinned, and what is idle before what works', () => {
    const all = [
      resident('idle', { lastUsedMs: 1 }),
      resident('works', { lastUsedMs: 0, busy: true }),
      resident('brought', { lastUsedMs: 9, hold: 'demand' }),
    ];
    expect(victims(10, all)).toEqual(['brought', 'idle', 'works']);
  });

  it('never takes what an alias or release holds, nor what is not ready', () => {
    const all = [resident('kept', { hold: 'kept' }), resident('loading', { ready: false }), resident('pinned')];
    expect(victims(30, all)).toEqual(['pinned']);
    const plan = planRoom(29, all, asking());
    expect(plan).toMatchObject({ kind: 'no-room', held: [{ key: 'kept' }, { key: 'loading' }] });
  });

  it('waits for what is going already before it unloads anybody', () => {
    const all = [resident('going', { going: true, ready: false }), resident('pinned')];
    expect(victims(20, all)).toEqual([]);
    expect(victims(19, all)).toEqual(['pinned']);
  });

  it('takes what has live sequences last, for what is kept alone', () => {
    const all = [
      resident('lives', { sequences: true, hold: 'demand' }),
      resident('used', { lastUsedMs: 50, busy: true }),
    ];
    expect(victims(20, all)).toEqual(['used']);
    expect(victims(19, all)).toBe('no-room');
    expect(victims(10, all, asking({ wantedMs: Infinity }))).toBe('no-room');
    expect(victims(10, all, asking({ hold: 'kept' }))).toEqual(['used', 'lives']);
    expect(noRoomMessage(1, 1, all)).toContain('lives (1 MiB, sequences live on it)');
  });

  it('does not wait for what leaves with live sequences: others give way, or there is no room', () => {
    const leaves = resident('leaves', { going: true, ready: false, sequences: true });
    expect(victims(20, [leaves, resident('pinned')])).toEqual(['pinned']);
    expect(victims(10, [leaves])).toBe('no-room');
    expect(victims(10, [{ ...leaves, sequences: false }])).toEqual([]);
  });

  it('takes nothing for a pin that was used or placed when that was, or later; an alias takes it all the same', () => {
    const all = [resident('same', { lastUsedMs: 100 }), resident('later', { lastUsedMs: 101 })];
    expect(victims(20, all)).toBe('no-room');
    expect(victims(20, all, asking({ wantedMs: 101 }))).toEqual(['same']);
    expect(victims(20, all, asking({ hold: 'kept' }))).toEqual(['same']);
  });

  it('holds to all of that whatever is there', () => {
    const some = fc.record({
      bytes: fc.nat({ max: 50 }),
      hold: fc.constantFrom(...holds),
      ready: fc.boolean(),
      going: fc.boolean(),
      busy: fc.boolean(),
      sequences: fc.boolean(),
      lastUsedMs: fc.nat({ max: 20 }),
    });
    const who = fc.record({
      bytes: fc.nat({ max: 60 }),
      hold: fc.constantFrom(...holds),
      wantedMs: fc.nat({ max: 20 }),
    });
    fc.assert(
      fc.property(fc.nat({ max: 200 }), fc.array(some, { maxLength: 8 }), who, (budget, parts, one) => {
        const all = parts.map((part, index) => ({ ...part, ready: part.ready && !part.going, key: String(index) }));
        const sum = (of: readonly Resident[]) => of.reduce((total, { bytes }) => total + bytes, 0);
        const plan = planRoom(budget, all, one);
        const fits = sum(all) + one.bytes <= budget;
        expect(plan.kind === 'fits').toBe(fits);
        if (plan.kind === 'fits') return;
        const may = all.filter(
          ({ hold, ready, sequences, lastUsedMs }) =>
            ready && hold !== 'kept' && (one.hold === 'kept' || (!sequences && lastUsedMs < one.wantedMs)),
        );
        const going = all.filter((each) => each.going && !each.sequences);
        const possible = sum(all) - sum(may) - sum(going) + one.bytes <= budget;
        expect(plan.kind).toBe(possible ? 'wait' : 'no-room');
        if (plan.kind === 'no-room') return;
        // Nobody goes who may stay, and no more than it takes.
        expect(plan.victims.every((victim) => may.includes(victim as (typeof may)[number]))).toBe(true);
        expect(sum(all) - sum(going) - sum(plan.victims) + one.bytes).toBeLessThanOrEqual(budget);
        const last = plan.victims.at(-1);
        if (last) expect(sum(all) - sum(going) - sum(plan.victims) + last.bytes + one.bytes).toBeGreaterThan(budget);
        // Of two alike, the one that was used later stays.
        for (const left of may.filter((each) => !plan.victims.includes(each)))
          for (const victim of plan.victims)
            if (victim.sequences === left.sequences && victim.hold === left.hold && victim.busy === left.busy)
              expect(victim.lastUsedMs).toBeLessThanOrEqual(left.lastUsedMs);
      }),
    );
  });
});

describe('what a load without room is told', () => {
  it('names what it needs, the budget, who holds it, and what to do', () => {
    const held = Array.from({ length: 7 }, (_, index) => resident(`m/${index}`, { bytes: (index + 1) * mib }));
    expect(noRoomMessage(64 * mib, 20 * mib, held)).toBe(
      'no room: it needs about 20 MiB, and the memory budget is 64 MiB, of which 28 MiB cannot be given up: m/6 (7 MiB), ' +
        'm/5 (6 MiB), m/4 (5 MiB), m/3 (4 MiB), m/2 (3 MiB) and 2 more; raise --memory-budget-bytes, or take aliases or ' +
        'pins of these away',
    );
    expect(noRoomMessage(mib, 2 * mib, [])).toContain('the memory budget is 1 MiB; raise --memory-budget-bytes');
  });
});
