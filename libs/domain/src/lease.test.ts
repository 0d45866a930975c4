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
