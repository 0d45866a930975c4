import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { LeaderLock } from '../src/store/leader-lock.ts';
import { Site } from './harness.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open({ alone: true });
});
afterAll(async () => {
  await site.close();
});

function contender(clock: typeof systemClock, idleSessionMs = 10_000): LeaderLock {
  const lock = new LeaderLock({
    url: site.serviceUrl,
    applicationName: 'leader-test',
    lockId: 4711,
    clock,
    idleSessionMs,
    onChange: () => undefined,
    onError: () => undefined,
  });
  lock.start();
  return lock;
}

describe('the lock of the controller', () => {
  it('goes to one, and to the other when that one lets go', async () => {
    const first = contender(systemClock);
    await eventually(() => expect(first.held).toBe(true));
    const second = contender(systemClock);
    await second.close();
    expect([first.held, second.held]).toEqual([true, false]);
    const third = contender(systemClock);
    await first.close();
    await eventually(() => expect(third.held).toBe(true));
    await third.close();
  });

  it('is taken from a process that is frozen', async () => {
    // Its clock stands still, so it says nothing any more, as a stopped process does.
    const frozen = contender(new FakeClock(), 3_000);
    await eventually(() => expect(frozen.held).toBe(true));
    const other = contender(systemClock);
    await eventually(() => expect(other.held).toBe(true), 20_000);
    expect(frozen.held).toBe(false);
    await frozen.close();
    await other.close();
  });

  it('is lost with the database and won again', async () => {
    const lock = contender(systemClock);
    await eventually(() => expect(lock.held).toBe(true));
    await site.postgres.kill();
    await eventually(() => expect(lock.held).toBe(false));
    await site.postgres.restart();
    await eventually(() => expect(lock.held).toBe(true));
    await lock.close();
  });
});

it('a registry that cannot have its port fails with one line and leaves nothing open', async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
  const { port } = squatter.address() as AddressInfo;
  for (const setting of ['SLUICE_PORT', 'SLUICE_METRICS_PORT', 'SLUICE_ADMIN_PORT']) {
    await expect(site.start({ [setting]: String(port) })).rejects.toThrow(String(port));
  }
  const connections = async (): Promise<number> => {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: site.ownerUrl });
    await client.connect();
    const { rows } = await client.query<{ open: number }>(
      `select count(*)::int as open from pg_stat_activity where application_name like 'registry-%'`,
    );
    await client.end();
    return rows[0]!.open;
  };
  await eventually(async () => expect(await connections()).toBe(0));
  squatter.close();
});
