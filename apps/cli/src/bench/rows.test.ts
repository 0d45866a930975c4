import { describe, expect, it } from 'vitest';
import type { GeneratorWindow } from './generator/generator.ts';
import { emptyWindow, window } from '../../test/bench/windows.ts';
import { isSound, rowOf } from './rows.ts';

const settings = { batchSize: 4, percentile: undefined, stabilityPercent: 10 };
const outcome = (windows: readonly GeneratorWindow[], more: Partial<Parameters<typeof rowOf>[0]> = {}) =>
  rowOf(
    {
      level: 8,
      windows,
      counted: Math.min(3, windows.length),
      phases: undefined,
      stable: true,
      interrupted: false,
      isOpenLoop: false,
      ...more,
    },
    settings,
  );
const phases = { requests: 4, queue: 1, computeInput: 2, computeInfer: 3, computeOutput: 0.5 };

describe('a row', () => {
  it('is the last three windows together', () => {
    const row = outcome([window([1000]), window([10, 20]), window([30]), window([40, 50, 60])]);
    expect(row).toMatchObject({ windows: 4, seconds: 3, requests: 6, requestsPerSecond: 2, inferencesPerSecond: 8 });
    expect(row.latency).toMatchObject({ mean: 35, min: 10, max: 60 });
    expect(row.latency.percentiles.map(({ percent }) => percent)).toEqual([50, 90, 95, 99]);
    expect([row.latencyMs, row.marks, isSound(row)]).toEqual([35, [], true]);
  });

  it('is judged by the percentile that was asked for, which it has too', () => {
    const { latency, latencyMs } = rowOf(
      {
        level: 1,
        windows: [window([10, 20, 30])],
        counted: 1,
        phases: undefined,
        stable: true,
        interrupted: false,
        isOpenLoop: false,
      },
      { ...settings, percentile: 75 },
    );
    expect(latency.percentiles.map(({ percent }) => percent)).toEqual([50, 75, 90, 95, 99]);
    expect(Math.round(latencyMs!)).toBe(30);
  });

  it('is invalid when a thread of the generator used over 80 % of its core, and not at 80 %', () => {
    const at = (...cpuShares: number[]) => outcome([{ ...window([1]), cpuShares }]);
    expect([at(0.8).marks, isSound(at(0.8))]).toEqual([[], true]);
    expect([at(0.2, 0.81).marks, isSound(at(0.2, 0.81))]).toEqual([['invalid'], false]);
    expect(at(0.2, 0.81).notes[0]).toBe('the generator used 81 % of its core, over 80 %: it measured itself too');
  });

  it('says what failed, by status', () => {
    const failures = { UNAVAILABLE: { count: 3, message: 'gone' }, INTERNAL: { count: 1, message: '' } };
    const row = outcome([{ ...window([]), failures }]);
    expect([row.marks, row.latencyMs, row.latency.min, isSound(row)]).toEqual([['failures'], undefined, 0, false]);
    expect(row.notes[0]).toBe('4 requests failed: 3 UNAVAILABLE (gone), 1 INTERNAL');
  });

  it('says that it did not become stable, or was stopped', () => {
    const [few, many] = [1, 4].map((count) =>
      outcome(
        Array.from({ length: count }, () => window([1])),
        { stable: false },
      ),
    );
    expect([few!.marks, few!.notes]).toEqual([['unstable'], ['1 windows were measured, and stability needs 3']]);
    expect(many!.notes).toEqual(['the last 3 of 4 windows differ by more than 10 %, or were not answered']);
    expect(outcome([window([1])], { stable: false, interrupted: true }).marks).toEqual(['interrupted']);
    expect(isSound(outcome([window([1])], { stable: false }))).toBe(false);
    expect(outcome([window([1])], { stable: undefined }).marks).toEqual([]);
  });

  it('says that over one in a hundred left late, or waited for others; it stands all the same', () => {
    const open = (delayed: number, held: number) =>
      outcome([{ ...emptyWindow(), scheduled: 1000, delayed, held, latenessMs: 500, latenessMaxMs: 9 }], {
        isOpenLoop: true,
      });
    expect(open(10, 0).marks).toEqual([]);
    expect([open(11, 1).marks, isSound(open(11, 1))]).toEqual([['held', 'late'], true]);
    expect(open(11, 1).schedule).toEqual({ sent: 1000, delayed: 11, held: 1, meanLatenessMs: 0.5, maxLatenessMs: 9 });
    expect(outcome([window([1])]).schedule).toBeUndefined();
  });

  it('has what the phases leave of the mean for the network, and never less than nothing', () => {
    const timed = { ...window([10, 10]), sendMs: 1, receiveMs: 2 };
    expect(outcome([timed], { phases }).networkMs).toBe(10 - 0.5 - 1 - 6.5);
    expect(outcome([window([1])], { phases }).networkMs).toBe(0);
    expect(outcome([timed]).networkMs).toBeUndefined();
  });
});
