import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { createLogger } from '@sluice/service-kit/logger';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { LeaseKeeper } from './lease-keeper.ts';
import type { LeaseReport } from './ports.ts';

const logger = createLogger({ service: 'test', instance: 'test', level: 'silent' });
const random = { uniform: () => 1, bytes: (count: number) => new Uint8Array(count) };
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

function keeper() {
  const clock = new FakeClock();
  const reports: LeaseReport[] = [];
  const worked: boolean[] = [];
  let revision = 1;
  const calls: { resolve: (ttlMs: number) => void; reject: (error: Error) => void }[] = [];
  const state = { released: 0 };
  const lease = new LeaseKeeper({
    clock,
    random,
    logger,
    ttlMs: 3_000,
    report: () => ({ appliedRevision: revision, versions: [], memoryUsedBytes: 0 }),
    renewed: (did) => worked.push(did),
    registry: {
      renewLease: (report) => {
        reports.push(report);
        return new Promise((resolve, reject) => calls.push({ resolve, reject }));
      },
      releaseLease: async () => void (state.released += 1),
    },
  });
  return { lease, clock, reports, worked, calls, state, change: () => (revision += 1) };
}

describe('LeaseKeeper', () => {
  it('renews every third of the time to live that the registry granted', async () => {
    const { lease, clock, reports, calls } = keeper();
    lease.renewNow();
    calls[0]!.resolve(6_000);
    await turns();
    clock.advance(1_999);
    expect(reports).toHaveLength(1);
    clock.advance(1);
    expect(reports).toHaveLength(2);
  });

  it('renews at once after a change, and right after a renewal that the change came too late for', async () => {
    const { lease, reports, calls, change } = keeper();
    lease.renewNow();
    change();
    lease.renewNow();
    lease.renewNow();
    expect(reports).toHaveLength(1);
    calls[0]!.resolve(3_000);
    await turns();
    expect(reports.map(({ appliedRevision }) => appliedRevision)).toEqual([1, 2]);
    calls[1]!.resolve(3_000);
    await turns();
    expect(reports).toHaveLength(2);
  });

  it('tries sooner when the registry is away: two tries fit into what is left of the lease', async () => {
    const { lease, clock, reports, calls, worked } = keeper();
    lease.renewNow();
    calls[0]!.reject(unavailable('away'));
    await turns();
    clock.advance(333);
    expect(reports).toHaveLength(1);
    clock.advance(1);
    calls[1]!.resolve(3_000);
    await turns();
    expect(worked).toEqual([false, true]);
    expect(reports).toHaveLength(2);
  });

  it('stops renewing and gives the lease back', async () => {
    const { lease, clock, reports, calls, state } = keeper();
    lease.renewNow();
    const released = lease.release();
    calls[0]!.resolve(3_000);
    await released;
    lease.renewNow();
    clock.advance(60_000);
    expect(reports).toHaveLength(1);
    expect(state.released).toBe(1);
  });
});
