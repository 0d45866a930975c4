import { describe, expect, it } from 'vitest';
import { VersionStats } from '../serving/version-stats.ts';
import { RetiredStats, retiredLimits } from './retired-stats.ts';

const named = (version: number, digest = 'd') => ({ model: 'm', version, digest });

describe('RetiredStats', () => {
  it('gives back what was kept of the same model, number and digest, once', () => {
    const retired = new RetiredStats();
    const stats = new VersionStats(4);
    retired.keep(named(1), stats);
    expect([retired.take(named(2)), retired.take(named(1, 'e'))]).toEqual([undefined, undefined]);
    expect(retired.take(named(1))).toBe(stats);
    expect(retired.take(named(1))).toBeUndefined();
  });

  it('keeps those that were withdrawn last', () => {
    const retired = new RetiredStats({ ...retiredLimits, versions: 2 });
    for (const version of [1, 2, 1, 3]) retired.keep(named(version), new VersionStats(version));
    expect([1, 2, 3].map((version) => retired.take(named(version)) !== undefined)).toEqual([true, false, true]);
  });

  it('keeps no more than has room', () => {
    const large = new VersionStats(1_000);
    const retired = new RetiredStats({ ...retiredLimits, bytes: 2 * large.bytes });
    for (const version of [1, 2, 2, 3]) retired.keep(named(version), new VersionStats(1_000));
    expect([1, 2, 3].map((version) => retired.take(named(version)) !== undefined)).toEqual([false, true, true]);
    for (const version of [4, 5]) retired.keep(named(version), new VersionStats(1_000));
    expect([4, 5].map((version) => retired.take(named(version)) !== undefined)).toEqual([true, true]);
  });
});
