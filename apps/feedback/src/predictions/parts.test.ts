import { describe, expect, it } from 'vitest';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { storedText } from '../evidence/stored-text.ts';
import { latestLabel } from '../versions/registry-version.ts';
import { predictionAbsent } from './absence.ts';
import { releaseRevision } from './audit-links.ts';
import { narrowed } from './narrowed.ts';
import type { StoredLabel } from './prediction.ts';
import { resolveLabels } from './resolve-labels.ts';
import { leastId, timeRange } from './time-range.ts';

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 15, 12);

describe('a range of time', () => {
  it('is the last day, and what routers with fast clocks sent, unless told', () => {
    expect(timeRange({ fromMs: undefined, toMs: undefined }, nowMs)).toEqual({
      fromMs: nowMs - dayMs,
      toMs: nowMs + dayMs,
    });
    expect(timeRange({ fromMs: 5, toMs: undefined }, nowMs)).toEqual({ fromMs: 5, toMs: nowMs + dayMs });
    const earlier = nowMs - 9 * dayMs;
    expect(timeRange({ fromMs: undefined, toMs: earlier }, nowMs)).toEqual({ fromMs: earlier - dayMs, toMs: earlier });
  });

  it('is refused where it is empty, no time, or too long, of which only the past counts', () => {
    const of = (fromMs: number, toMs: number, most = Infinity) =>
      timeRange({ fromMs, toMs }, nowMs, most, ': ask for less');
    expect(() => of(7, 7)).toThrow('from: not before to');
    expect(() => of(-1, 7)).toThrow('from: -1 ms given; expected a time from 1970 on');
    expect(() => of(0, 2 ** 48)).toThrow('to: 281474976710656 ms given');
    expect(of(nowMs - dayMs, nowMs + dayMs, dayMs)).toEqual({ fromMs: nowMs - dayMs, toMs: nowMs + dayMs });
    expect(() => of(nowMs - dayMs - 1, nowMs + dayMs, dayMs)).toThrow(
      'from: 1 days before to; expected 1 days at most: ask for less',
    );
  });

  it('has a least id', () => {
    expect(leastId(0x0198c0de1234)).toBe('0198c0de-1234-0000-0000-000000000000');
    expect(leastId(1)).toBe('00000000-0001-0000-0000-000000000000');
  });
});

describe('labels of one row', () => {
  const label = (labelId: string, own: Partial<StoredLabel> = {}): StoredLabel => ({
    ...{ labelId, row: 0, source: 'a', actor: '', name: 'x', number: undefined, labelledMs: undefined, recordedMs: 1 },
    ...own,
  });
  const order = (labels: StoredLabel[], trustedSources: string[] = []) =>
    resolveLabels(labels, { ...latestLabel, trustedSources }).map(
      ({ labelId, resolves }) => labelId + (resolves ? '!' : ''),
    );

  it('resolve to the one recorded last, then found last, then of the highest id', () => {
    expect(order([label('1', { recordedMs: 2 }), label('2', { recordedMs: 2.001 }), label('3')])).toEqual([
      '2!',
      '1',
      '3',
    ]);
    expect(order([label('1', { labelledMs: 9 }), label('2')])).toEqual(['1!', '2']);
    expect(order([label('1'), label('2')])).toEqual(['2!', '1']);
  });

  it('resolve to a trusted source first, in their order', () => {
    const labels = [
      label('1', { source: 'c', recordedMs: 9 }),
      label('2', { source: 'a' }),
      label('3', { source: 'b' }),
    ];
    expect(order(labels, ['b', 'a'])).toEqual(['3!', '2', '1']);
    expect(order(labels, ['z'])).toEqual(['1!', '3', '2']);
  });

  it('are resolved row by row', () => {
    expect(order([label('1', { row: 1 }), label('2', { row: 0 }), label('3', { row: 1 })])).toEqual(['2!', '3!', '1']);
  });
});

describe('the id of a release', () => {
  it('is the model and the change that made it', () => {
    expect(releaseRevision('team/digits', 'team/digits@17')).toBe(17);
    for (const id of ['', 'digits@17', 'team/digits@', 'team/digits@x', 'team/digits@1234567890123456'])
      expect(releaseRevision('team/digits', id)).toBeUndefined();
  });
});

describe('that there is nothing of an id', () => {
  const retention = { short: 7, standard: 90, long: 730 };
  const id = (ms: number) => `${leastId(ms).slice(0, 14)}7000-8000-000000000000`.replace(/^(.{13})-?/, '$1-');
  const of = (ms: number) => predictionAbsent({ predictionId: id(ms), nowMs, retention, model: undefined });

  it('has the reasons that its time leaves, at the very millisecond', () => {
    const tenMinutes = 600_000;
    expect(of(nowMs - tenMinutes + 1).reasons).toEqual(['not-captured', 'not-here-yet', 'never-seen']);
    expect(of(nowMs - tenMinutes).reasons).toEqual(['not-captured', 'never-seen']);
    expect(of(nowMs - 7 * dayMs + 1).reasons).toEqual(['not-captured', 'never-seen']);
    expect(of(nowMs - 7 * dayMs).reasons).toEqual(['not-captured', 'expired', 'never-seen']);
    expect(of(nowMs - 730 * dayMs + 1).reasons).toEqual(['not-captured', 'expired', 'never-seen']);
    expect(of(nowMs - 730 * dayMs).reasons).toEqual(['expired', 'never-seen']);
    expect(of(nowMs + dayMs - 1).reasons).toEqual(['not-captured', 'not-here-yet', 'never-seen']);
    expect(of(nowMs + dayMs).reasons).toEqual(['never-seen']);
    expect(of(2 ** 48 - 1).day).toBe('9999-12-31');
  });

  it('is told in a sentence', () => {
    const absent = predictionAbsent({
      ...{ predictionId: id(nowMs - 8 * dayMs), nowMs, retention },
      model: { name: 'm', captureRate: 0.1 },
    });
    expect(absent.message).toBe(
      `there is no record of prediction ${id(nowMs - 8 * dayMs)}, of 2026-06-07. Possible: it was not among those that its model keeps ` +
        '(m keeps 10 % of its predictions now); or it expired: class short is kept for 7 days; or no router gave this id',
    );
    expect([absent.kind, absent.day]).toEqual(['not-found', '2026-06-07']);
  });
});

describe('a statement that took too long', () => {
  it('says what to narrow; other failures stay as they are', async () => {
    const slow = new SluiceError('deadline-exceeded', 'the database took longer');
    await expect(narrowed(Promise.reject(slow), 'this list', 'narrow it')).rejects.toMatchObject({
      ...{ kind: 'deadline-exceeded', message: 'this list took longer than the time-out of queries: narrow it' },
    });
    await expect(narrowed(Promise.reject(unavailable('away')), 'this list', 'narrow it')).rejects.toThrow('away');
    expect(await narrowed(Promise.resolve(7), '', '')).toBe(7);
  });
});

describe('a text of a caller', () => {
  it('is looked up as it was stored', () => {
    expect(storedText('a\0b')).toBe('a\uFFFDb');
    expect(storedText('\uD800')).toBe('\uFFFD');
    expect(storedText('x'.repeat(1_024))).toHaveLength(1_024);
    expect(storedText(`${'x'.repeat(1_023)}ä`)).toBe('x'.repeat(1_023));
  });
});
