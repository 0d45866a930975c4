import { describe, expect, it } from 'vitest';
import { failedPrecondition, SluiceError, unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { AuditLog, NumberedEntry, Outbox } from './audit-relay.ts';
import { AuditRelay } from './audit-relay.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
};

interface Waiting {
  readonly text: string;
  sequence: number | undefined;
  leafIndex: number | undefined;
}

/** An outbox as the table is, and a log that is as strict as the registry's. */
function world() {
  const rows: Waiting[] = [];
  const leaves: string[] = [];
  let [failsBefore, failsAfter, isTaken] = [0, 0, false];
  const waiting = () => rows.filter(({ leafIndex }) => leafIndex === undefined);
  const outbox: Outbox = {
    hasWaiting: async () => waiting().length > 0,
    alone: async (fn) => {
      if (!isTaken) await fn();
      return !isTaken;
    },
    sendAgain: async (sequence) => {
      for (const row of rows) if (row.sequence !== undefined && row.sequence >= sequence) row.leafIndex = undefined;
    },
    number: async (least, limit) => {
      let next = Math.max(least, ...waiting().map(({ sequence }) => (sequence ?? 0) + 1));
      for (const row of waiting().slice(0, limit)) row.sequence ??= next++;
      const numbers = rows.flatMap(({ sequence }) => sequence ?? []);
      if (new Set(numbers).size < numbers.length) throw new Error('two entries have the same number');
    },
    unnumber: async (sequence) => {
      for (const row of waiting()) if ((row.sequence ?? 0) >= sequence) row.sequence = undefined;
    },
    next: async (limit) =>
      waiting()
        .filter(({ sequence }) => sequence !== undefined)
        .toSorted((one, other) => one.sequence! - other.sequence!)
        .slice(0, limit)
        .map(({ text, sequence }) => ({
          actor: 'a',
          action: text,
          object: 'o',
          detailsJson: '{}',
          recordedMs: 0,
          sequence: sequence!,
        })),
    appended: async (entries) => {
      for (const { sequence, leafIndex } of entries)
        rows.find((row) => row.sequence === sequence)!.leafIndex = leafIndex;
    },
  };
  const log: AuditLog = {
    append: async (entries: readonly NumberedEntry[]) => {
      if (entries.some(({ action }) => action === 'bad'))
        throw new SluiceError('invalid-argument', 'entries[0].actor: x');
      if (failsBefore-- > 0) throw unavailable('the registry is away');
      if ((entries[0]?.sequence ?? 0) > leaves.length + 1) throw failedPrecondition('a gap');
      for (const { sequence, action } of entries)
        if (sequence <= leaves.length && leaves[sequence - 1] !== action) throw failedPrecondition('something else');
      for (const { sequence, action } of entries) if (sequence > leaves.length) leaves.push(action);
      if (entries.length > 0 && failsAfter-- > 0) throw unavailable('nobody knows');
      return { nextSequence: leaves.length + 1, leafIndexes: entries.map(({ sequence }) => 100 + sequence) };
    },
  };
  const clock = new FakeClock(0);
  const told: string[] = [];
  const relay = new AuditRelay({
    ...{ outbox, log, clock, everyMs: 1_000 },
    onAway: (error) => told.push(error === undefined ? 'back' : error.kind === 'unavailable' ? 'away' : error.message),
    onRenumbered: (sequence) => told.push(`renumbered ${sequence}`),
  });
  const add = (...texts: readonly string[]) =>
    rows.push(...texts.map((text) => ({ text, sequence: undefined, leafIndex: undefined })));
  return {
    ...{ rows, leaves, relay, clock, told, add },
    fail: (before: number, after: number) => ([failsBefore, failsAfter] = [before, after]),
    take: (taken: boolean) => (isTaken = taken),
  };
}

describe('the relay of the audit outbox', () => {
  it('sends what waits, in order and once, also when the answer did not come', async () => {
    const { rows, leaves, relay, add, fail } = world();
    add('one', 'two');
    fail(0, 1);
    await expect(relay.send()).rejects.toThrow('nobody knows');
    expect([leaves, rows.map(({ leafIndex }) => leafIndex)]).toEqual([
      ['one', 'two'],
      [undefined, undefined],
    ]);
    add('three');
    await relay.send();
    expect(leaves).toEqual(['one', 'two', 'three']);
    expect(rows.map(({ leafIndex }) => leafIndex)).toEqual([101, 102, 103]);
    add(...Array.from({ length: 1_200 }, (_, index) => `more ${index}`));
    await relay.send();
    expect(leaves).toHaveLength(1_203);
    await relay.send();
    expect(leaves).toHaveLength(1_203);
  });

  it('tries again from time to time, says once that the log is away, and leaves it to another replica that is at it', async () => {
    const { leaves, relay, clock, told, add, fail, take } = world();
    add('one');
    fail(2, 0);
    relay.start();
    await turns();
    clock.advance(1_000);
    await turns();
    expect([leaves, told]).toEqual([[], ['away']]);
    clock.advance(1_000);
    await turns();
    expect([leaves, told]).toEqual([['one'], ['away', 'back']]);
    take(true);
    add('two');
    clock.advance(1_000);
    await turns();
    expect(leaves).toEqual(['one']);
    await relay.close();
  });

  it('sends again what a log that was put back has lost', async () => {
    const { leaves, relay, add, rows } = world();
    add('one', 'two', 'three');
    await relay.send();
    leaves.splice(1);
    add('four');
    await relay.send();
    expect(leaves).toEqual(['one', 'two', 'three', 'four']);
    // What is not here any more cannot be sent: the others move up.
    leaves.splice(1);
    rows.splice(0, 2);
    add('five');
    await relay.send();
    expect(leaves).toEqual(['one', 'three', 'four', 'five']);
  });

  it('gives other numbers to what an outbox that was put back says anew', async () => {
    const { leaves, relay, told, add, rows } = world();
    add('one', 'two', 'three');
    await relay.send();
    // Back to before the answer for the second one.
    rows.splice(2);
    rows[1]!.leafIndex = undefined;
    add('other');
    rows[2]!.sequence = 3;
    await relay.send();
    expect([leaves, told]).toEqual([['one', 'two', 'three', 'other'], ['renumbered 3']]);
    expect(rows.map(({ leafIndex }) => leafIndex)).toEqual([101, 102, 104]);
  });

  it('says which entry the log will never take, sends all that is before it, and goes on when it does', async () => {
    const { rows, leaves, relay, clock, told, add, fail } = world();
    add('one', 'two', 'bad', 'three');
    fail(1, 0);
    relay.start();
    await turns();
    for (let round = 0; round < 3; round += 1) {
      clock.advance(1_000);
      await turns();
    }
    expect(leaves).toEqual(['one', 'two']);
    expect(told).toEqual([
      'away',
      expect.stringMatching(/refuses entry 3 of the outbox, bad of o, .*entries\[0\].actor: x/),
    ]);
    rows[2] = { ...rows[2]!, text: 'good' };
    clock.advance(1_000);
    await turns();
    expect(leaves).toEqual(['one', 'two', 'good', 'three']);
    expect(told.at(-1)).toBe('back');
    await relay.close();
  });
});
