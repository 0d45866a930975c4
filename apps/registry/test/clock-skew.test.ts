import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { FakeRuntime } from './fleet.ts';
import { followMove, pushApproved, Site } from './harness.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open();
});
afterAll(async () => {
  await site.close();
});

/** The clock of a host whose time of day is off. */
const off = (ms: number): Clock => ({ ...systemClock, now: () => systemClock.now() + ms });

it('a registry on a host whose clock is off moves aliases in time, and does not lift the times of others', async () => {
  const behind = await site.start({}, off(-90_000));
  const runtime = FakeRuntime.start(behind.watch(), 'rt-1');
  const version = await pushApproved(behind, 'digits');
  const { move } = await behind.as('ann').moveAlias({ model: 'digits', alias: 'champion', version, timeoutMs: 60_000 });
  const { last } = await followMove(behind.as('ann'), move!.id);
  expect(last.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');

  const ahead = await site.start({}, off(86_400_000));
  await ahead.as('bob').pinVersion({ model: 'digits', version });
  const audit = createRpcClient(auditService, ahead.address, { clock: systemClock });
  const { entries } = await audit.listAuditEntries({ descending: true, pageSize: 1 });
  expect(entries[0]).toMatchObject({ action: 'version.pinned', actor: 'bob' });
  expect(Math.abs(Number(entries[0]!.effectiveAt!.seconds) * 1000 - systemClock.now())).toBeLessThan(60_000);
  audit.close();
  runtime.kill();
});
