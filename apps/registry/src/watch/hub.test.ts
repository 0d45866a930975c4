import { describe, expect, it } from 'vitest';
import { emptyState } from './desired-state.ts';
import { WatchHub } from './hub.ts';

const never = new AbortController().signal;

describe('the hub', () => {
  it('wakes every watcher at a publication, and those that come late at once', async () => {
    const hub = new WatchHub();
    const woken = Promise.all([hub.newerThan(0, never), hub.newerThan(0, never)]);
    expect(hub.waiting).toBe(2);
    hub.publish({ desired: emptyState });
    await woken;
    expect(hub.waiting).toBe(0);
    await hub.newerThan(0, never);
    expect(hub.current).toEqual({ sequence: 1, desired: emptyState, leases: undefined });
  });

  it('lets go of a watcher that leaves', async () => {
    const hub = new WatchHub();
    const leaving = new AbortController();
    const left = hub.newerThan(0, leaving.signal);
    leaving.abort();
    await left;
    expect(hub.waiting).toBe(0);
  });
});
