import { describe, expect, it } from 'vitest';
import type { ServingConfig } from '@sluice/domain/signature';
import type { SequenceId } from '@sluice/inference/sequence';
import type { Engine } from '../serving/engine.ts';
import { SequenceTable } from './sequence-table.ts';

/** A version with sequences that live on it. */
function version(number: number, ...living: SequenceId[]) {
  const live = new Set(living);
  const sequences = { lives: (id: SequenceId) => live.has(id), end: (id: SequenceId) => void live.delete(id) };
  const engine = { sequences } as unknown as Engine;
  const serving = { sequenceBatching: {} } as ServingConfig;
  return { assignment: { model: 'm', version: number, serving }, live: engine, ids: live };
}
const mark = (id: SequenceId, start = false) => ({ id, start, end: false });

describe('the table of sequences', () => {
  it('leads a request to where its sequence lives, first to where its name leads', () => {
    const [one, two] = [version(1, 7n, 8n), version(2, 8n)];
    const table = new SequenceTable([one, two]);
    expect(table.engine('m', '', mark(7n), two.live)).toBe(one.live);
    expect(table.engine('m', 'champion', mark(8n), two.live)).toBe(two.live);
    expect(table.engine('m', '', mark(8n), undefined)).toBe(one.live);
    expect(table.engine('m', '', mark(9n), two.live)).toBeUndefined();
    expect(table.engine('other', '', mark(7n), undefined)).toBeUndefined();
  });

  it('takes a number for that version alone', () => {
    const [one, two] = [version(1, 7n), version(2)];
    const table = new SequenceTable([one, two]);
    expect(table.engine('m', '1', mark(7n), one.live)).toBe(one.live);
    expect(table.engine('m', '2', mark(7n), two.live)).toBeUndefined();
    table.engine('m', '2', mark(7n, true), two.live);
    expect(one.ids).toEqual(new Set([7n]));
  });

  it('ends a sequence where it lived before when it is started where its name leads now', () => {
    const [one, two] = [version(1, 7n, 8n), version(2, 7n)];
    const table = new SequenceTable([one, two]);
    expect(table.engine('m', 'champion', mark(7n, true), two.live)).toBeUndefined();
    expect([one.ids, two.ids]).toEqual([new Set([8n]), new Set([7n])]);
  });

  it('knows a version that leaves beside one of the same number', () => {
    const [placed, leaving] = [version(1), version(1, 7n)];
    const table = new SequenceTable([placed, leaving]);
    expect(table.engine('m', '1', mark(7n), placed.live)).toBe(leaving.live);
    expect(table.locate('m', '1', 7n, placed.live)).toBe(leaving);
    table.engine('m', '1', mark(7n, true), placed.live);
    expect(leaving.ids.size).toBe(0);
  });
});
