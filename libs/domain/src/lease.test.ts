import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heartbeatGapMs, isLive, leaseEnd, outagesNow, spanEnd } from './lease.ts';

const lease = { renewedAt: 1_000, ttlMs: 3_000 };

describe('leases', () => {
  it('live until exactly their time to live has passed', () => {
    expect(isLive(lease, [], 3_999)).toBe(true);
    expect(isLive(lease, [], 4_000)).toBe(false);
  });

  it('get their whole time to live again after an outage that began while they were live', () => {
    expect(leaseEnd(lease, [{ from: 3_999, to: 60_000 }])).toBe(63_000);
    expect(leaseEnd(lease, [{ from: 500, to: 60_000 }])).toBe(63_000);
  });

  it('gain nothing from outages before the renewal or after the end', () => {
    expect(leaseEnd(lease, [{ from: 0, to: 1_000 }])).toBe(4_000);
    expect(leaseEnd(lease, [{ from: 4_000, to: 60_000 }])).toBe(4_000);
  });

  it('survive two outages when the second begins before they lapse', () => {
    const outages = [
      { from: 2_000, to: 10_000 },
      { from: 12_999, to: 20_000 },
    ];
    expect(leaseEnd(lease, outages)).toBe(23_000);
    expect(leaseEnd(lease, [outages[0]!, { from: 13_000, to: 20_000 }])).toBe(13_000);
  });
});

describe('spans', () => {
  it('keep what was left of them when an outage began, and at least the grace', () => {
    const span = { from: 0, ms: 60_000, graceMs: 5_000 };
    expect(spanEnd(span, [{ from: 10_000, to: 100_000 }])).toBe(150_000);
    expect(spanEnd(span, [{ from: 59_000, to: 100_000 }])).toBe(105_000);
  });
});

describe('outages', () => {
  it('are taken to be under way when the last heartbeat is longer ago than the gap', () => {
    expect(outagesNow([], 0, heartbeatGapMs)).toEqual([]);
    expect(outagesNow([{ from: -9, to: -5 }], 0, heartbeatGapMs + 1)).toEqual([
      { from: -9, to: -5 },
      { from: 0, to: heartbeatGapMs + 1 },
    ]);
  });
});

describe('whatever outages there were', () => {
  const outages = fc
    .uniqueArray(fc.integer({ min: 0, max: 30_000 }), { maxLength: 10 })
    .map((times) => times.toSorted((left, right) => left - right))
    .map((times) =>
      times.flatMap((from, at) => (at % 2 === 0 && at + 1 < times.length ? [{ from, to: times[at + 1]! }] : [])),
    );

  it('a lease lives at least its time, and its whole time again after each that it met', () => {
    fc.assert(
      fc.property(outages, fc.integer({ min: 0, max: 30_000 }), (list, renewedAt) => {
        const end = leaseEnd({ renewedAt, ttlMs: 3_000 }, list);
        expect(end).toBeGreaterThanOrEqual(renewedAt + 3_000);
        for (const outage of list) {
          const met = outage.to > renewedAt && outage.from < end;
          if (met) expect(end).toBeGreaterThanOrEqual(outage.to + 3_000);
        }
        const lost = list
          .filter((outage) => outage.to > renewedAt)
          .reduce((sum, outage) => sum + outage.to - Math.max(outage.from, renewedAt), 0);
        expect(end).toBeLessThanOrEqual(renewedAt + 3_000 + lost + 3_000 * list.length);
      }),
    );
  });
});
