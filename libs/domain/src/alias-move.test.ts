import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadState, RuntimeReport } from './alias-move.ts';
import { loadStates, nextMoveAction } from './alias-move.ts';

const where = { where: 'pool default', nobody: 'pool default has no live runtime' };
const move = { ...where, requestedRevision: 10, deadline: 60_000 };
const report = (runtimeId: string, state?: LoadState, appliedRevision = 10, reason = ''): RuntimeReport => ({
  runtimeId,
  state,
  appliedRevision,
  reason,
});

describe('a requested move', () => {
  it('takes effect when every live runtime has the version ready', () => {
    expect(nextMoveAction(move, [report('a', 'ready'), report('b', 'ready', 12)], 0)).toEqual({
      kind: 'effective',
      reasons: [],
    });
  });

  it('waits while one is loading, unloading, evicted, silent or has not applied the request yet', () => {
    const others = [report('b', 'loading'), report('b', 'unloading'), report('b', 'evicted')];
    for (const other of [...others, report('b'), report('b', 'ready', 9)]) {
      expect(nextMoveAction(move, [report('a', 'ready'), other], 59_999)).toEqual({ kind: 'wait' });
    }
  });

  it('waits when one failed and another is ready, until the time-out', () => {
    const runtimes = [report('a', 'ready'), report('b', 'failed', 10, 'out of memory')];
    expect(nextMoveAction(move, runtimes, 59_999)).toEqual({ kind: 'wait' });
    expect(nextMoveAction(move, runtimes, 60_000)).toEqual({
      kind: 'effective',
      reasons: ['runtime b failed: out of memory'],
    });
  });

  it('counts a runtime that joined meanwhile', () => {
    expect(nextMoveAction(move, [report('a', 'ready'), report('new', undefined, 0)], 59_999).kind).toBe('wait');
    expect(nextMoveAction(move, [report('a', 'ready'), report('new', undefined, 0)], 60_000)).toEqual({
      kind: 'effective',
      reasons: ['runtime new has not said anything of it'],
    });
  });

  it('is withdrawn at once with every reason when all have failed', () => {
    const runtimes = [report('a', 'failed', 10, 'bad digest'), report('b', 'failed')];
    expect(nextMoveAction(move, runtimes, 0)).toEqual({
      kind: 'withdrawn',
      reasons: ['runtime a failed: bad digest', 'runtime b failed: it gave no reason'],
    });
  });

  it('ignores a failure that was reported before the move', () => {
    expect(nextMoveAction(move, [report('a', 'failed', 9)], 0)).toEqual({ kind: 'wait' });
  });

  it('is withdrawn at the time-out when none is ready, and says what each said', () => {
    expect(nextMoveAction(move, [report('a', 'loading'), report('b', 'failed', 10, 'x')], 60_000)).toEqual({
      kind: 'withdrawn',
      reasons: [
        'no live runtime of pool default reported it ready before the time-out',
        'runtime a is still loading it',
        'runtime b failed: x',
      ],
    });
  });

  it('waits for a first runtime and is withdrawn at exactly the time-out without one', () => {
    expect(nextMoveAction(move, [], 59_999)).toEqual({ kind: 'wait' });
    expect(nextMoveAction(move, [], 60_000)).toEqual({
      kind: 'withdrawn',
      reasons: [
        'no live runtime of pool default reported it ready before the time-out',
        'pool default has no live runtime',
      ],
    });
  });
});

describe('whatever runtimes say', () => {
  const runtimes = fc.array(
    fc.record({
      runtimeId: fc.string({ minLength: 1, maxLength: 3 }),
      appliedRevision: fc.integer({ min: 8, max: 12 }),
      state: fc.constantFrom(undefined, ...loadStates),
      reason: fc.string({ maxLength: 5 }),
    }),
    { maxLength: 5 },
  );
  const now = fc.integer({ min: 59_990, max: 60_010 });

  it('a move never takes effect without a runtime that is ready, and never ends without a reason', () => {
    fc.assert(
      fc.property(runtimes, now, (reports, time) => {
        const action = nextMoveAction(move, reports, time);
        const ready = reports.filter((entry) => entry.state === 'ready' && entry.appliedRevision >= 10);
        if (action.kind === 'effective') expect(ready.length).toBeGreaterThan(0);
        if (action.kind === 'effective') expect(action.reasons).toHaveLength(reports.length - ready.length);
        if (action.kind === 'withdrawn') expect([ready.length, action.reasons.length > 0]).toEqual([0, true]);
        if (action.kind === 'wait') expect(time).toBeLessThan(move.deadline);
      }),
    );
  });

  it('the order in which they are asked does not matter', () => {
    fc.assert(
      fc.property(runtimes, now, (reports, time) => {
        expect(nextMoveAction(move, reports.toReversed(), time).kind).toBe(nextMoveAction(move, reports, time).kind);
      }),
    );
  });
});
