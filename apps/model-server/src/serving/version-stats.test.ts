import { describe, expect, it } from 'vitest';
import { firstResponseBoundsMs, phases, VersionStats } from './version-stats.ts';

const timing = { inputUs: 3, inferUs: 100, outputUs: 5 };

describe('VersionStats', () => {
  it('records an answer in every phase: once, whatever its rows', () => {
    const stats = new VersionStats(8);
    stats.succeeded({ rows: 4, run: { beganAtMs: 11, timing } }, 10, 11.2);
    stats.succeeded({ rows: 1, run: { beganAtMs: 10.002, timing } }, 10, 10.15);
    expect(phases.map((phase) => stats.phases[phase].count)).toEqual([2, 2, 2, 2, 2]);
    expect(stats).toMatchObject({ successes: 2, inferences: 5, inputUs: 6, inferUs: 200, outputUs: 10 });
    expect(stats.queueUs).toBeCloseTo(1_002);
    expect(stats.requestUs).toBeCloseTo(1_350);
    // 2, 4, 8 … µs: the two waited 2 and 1,000 µs.
    expect(stats.phases.queue.cumulative().slice(0, 11)).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2]);
    expect(stats.phases.input.cumulative().slice(0, 3)).toEqual([0, 2, 2]);
  });

  it('records what ran before it arrived as not waiting, and what needed no run in every phase as no time', () => {
    const stats = new VersionStats(8);
    stats.succeeded({ rows: 1, run: { beganAtMs: 9, timing } }, 10, 11);
    stats.answeredAtOnce();
    stats.succeeded({ rows: 0, run: undefined }, 10, 12);
    expect(stats).toMatchObject({ successes: 3, inferences: 1, queueUs: 0, inferUs: 100, requestUs: 3_000 });
    expect(phases.map((phase) => stats.phases[phase].count)).toEqual([3, 3, 3, 3, 3]);
  });

  it('has first responses by the bounds of Triton: at a bound below it, above it beyond', () => {
    const stats = new VersionStats(8);
    for (const bound of firstResponseBoundsMs)
      for (const ms of [bound, bound + 0.5]) stats.succeeded({ rows: 1, run: undefined }, 0, ms);
    expect(stats.firstResponses.cumulative()).toEqual([1, 3, 5, 7, 8]);
    expect(stats.firstResponses.sum).toBe(15_202);
  });

  it('counts failures by reason, with their time once they were taken', () => {
    const stats = new VersionStats(8);
    stats.refused('OTHER');
    stats.failed('BACKEND', 10, 15);
    stats.failed('CANCELED', 10, 11);
    stats.refused('REJECTED');
    stats.refused('REJECTED');
    expect(stats.failures).toEqual({ REJECTED: 2, CANCELED: 1, BACKEND: 1, OTHER: 1 });
    expect(stats).toMatchObject({ failureUs: 6_000, successes: 0 });
  });

  it('counts batches by powers of two, and each size with the times of its phases', () => {
    const stats = new VersionStats(8);
    for (const rows of [1, 2, 3, 4, 8]) stats.batchRan(rows, timing);
    expect(stats).toMatchObject({ executions: 5, rowsRun: 18 });
    expect(stats.batchRows.cumulative().slice(0, 5)).toEqual([1, 2, 4, 5, 5]);
    expect(stats.bySize().map(({ rows, inferUs }) => [rows, inferUs])).toEqual(
      [1, 2, 3, 4, 8].map((rows) => [rows, 100]),
    );
  });

  it('says what it takes, which no request changes', () => {
    const [small, large] = [new VersionStats(0), new VersionStats(1_000)];
    expect(large.bytes - small.bytes).toBe(999 * 4 * 8);
    const { bytes } = small;
    for (let count = 0; count < 100; count++) small.succeeded({ rows: 1, run: { beganAtMs: 1, timing } }, 0, count);
    expect(small.bytes).toBe(bytes);
    expect(bytes).toBeLessThan(2_048);
  });
});
