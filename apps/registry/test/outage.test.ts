import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { auditService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { FakeRouter, FakeRuntime, pause } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { followMove, pushApproved, Site, upload } from './harness.ts';
import { StallingProxy } from './stalling-proxy.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;

beforeAll(async () => {
  site = await Site.open({ alone: true });
  replica = await site.start();
  ann = replica.as('ann');
});
afterAll(async () => {
  await site.close();
});

describe('while Postgres is away', () => {
  it('calls are refused at once, watchers stay, leases do not lapse, and all goes on when it is back', async () => {
    const runtime = FakeRuntime.start(replica.watch(), 'rt-1');
    const router = FakeRouter.start(replica.watch(), 'router-1');
    const version = await pushApproved(replica, 'digits');
    const first = await ann.moveAlias({ model: 'digits', alias: 'champion', version });
    await followMove(ann, first.move!.id);
    await eventually(() => expect(runtime.assigned.get(`digits:${version}`)?.heldBy).toEqual(['alias:champion']));
    const sizes = new Set<number>();
    const watchers = [runtime.updates, router.updates, router.snapshots.length];
    const snapshots = router.snapshots.filter(Boolean).length;
    await site.crashPostgres();

    const from = performance.now();
    await expect(ann.getModel({ name: 'digits' })).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(ann.pinVersion({ model: 'digits', version })).rejects.toMatchObject({ kind: 'unavailable' });
    expect(performance.now() - from).toBeLessThan(10_000);
    await eventually(async () => expect((await replica.adminState())['databaseUp']).toBe(false));
    await expect(ann.getModel({ name: 'digits' })).rejects.toThrow(/cannot reach its database/);
    expect(await replica.metrics()).toMatch(/sluice_dependency_up\{dependency="postgres"[^}]*\} 0/);
    // Longer than the leases' time to live, and than the gap that makes an outage.
    for (let waited = 0; waited < 5_000; waited += 100) {
      sizes.add(router.runtimes.length);
      await pause(100);
    }
    expect([runtime.updates, router.updates, router.snapshots.length]).toEqual(watchers);

    await site.postgres.restart();
    await eventually(async () => {
      await ann.getModel({ name: 'digits' });
      sizes.add(router.runtimes.length);
    });
    const { runtimes } = await ann.listLeases({});
    expect(runtimes.map(({ runtimeId, live }) => [runtimeId, live])).toEqual([['rt-1', true]]);
    const next = await pushApproved(replica, 'digits');
    const second = await ann.moveAlias({ model: 'digits', alias: 'champion', version: next });
    const { last } = await followMove(ann, second.move!.id);
    expect(last.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');
    await eventually(() => expect(router.primary('digits')).toBe(next));
    expect([...sizes]).toEqual([1]);
    // The streams of before: had they broken, the watchers would have resumed or begun anew.
    expect(router.snapshots.filter(Boolean)).toHaveLength(snapshots);
    runtime.kill();
    router.kill();
  });

  it('one that hangs is noticed, and no call waits for it or sends its bytes for nothing', async () => {
    const { proxy, url } = await StallingProxy.start(site.serviceUrl);
    const behind = await site.start({ SLUICE_DATABASE_URL: url });
    const audit = createRpcClient(auditService, behind.address, { clock: systemClock });
    const client = behind.as('ann');
    const stored = await upload(client, Buffer.from('stored before'));
    proxy.stall();
    // Before the registry knows: a renewal whose deadline passed would make its caller leave this replica.
    const renewal = { routerId: 'router-9', address: 'a:1', appliedRevision: 0, ttlMs: 3_000 };
    await expect(behind.watch().renewRouterLease(renewal, { timeoutMs: 2_500 })).rejects.toMatchObject({
      kind: 'unavailable',
      origin: 'answered',
    });
    await eventually(async () => expect((await behind.adminState())['databaseUp']).toBe(false));
    let sent = 0;
    function* gigabytes() {
      yield { header: { sha256: 'a'.repeat(64), size: 2 ** 31 } };
      for (; sent < 2 ** 31; sent += 2 ** 20) yield { chunk: Buffer.alloc(2 ** 20) };
    }
    const from = performance.now();
    for (const call of [
      () => client.statArtifacts({ sha256: [stored] }),
      () => audit.listAuditEntries({}),
      () => audit.getInclusionProof({ leafIndex: 0 }),
      () => client.uploadArtifact(gigabytes()),
    ]) {
      await expect(call()).rejects.toMatchObject({ kind: 'unavailable' });
    }
    expect(performance.now() - from).toBeLessThan(2_000);
    expect(sent).toBeLessThan(2 ** 28);
    proxy.resume();
    await eventually(async () => expect((await client.statArtifacts({ sha256: [stored] })).present).toEqual([stored]));
    audit.close();
    await behind.stop();
    proxy.close();
  });

  it('a registry that starts waits for it', async () => {
    await site.crashPostgres();
    const starting = site.start();
    await pause(1_500);
    await site.postgres.restart();
    const started = await starting;
    const { models } = await started.as('ann').listModels({});
    expect(models.map(({ name }) => name)).toEqual(['digits']);
    await started.stop();
  });

  it('a watcher without anything is told to come back, and one that has state keeps its stream', async () => {
    const watch = replica.watch();
    const router = FakeRouter.start(watch, 'router-2');
    await eventually(() => expect(router.primary('digits')).toBeGreaterThan(0));
    await site.crashPostgres();
    const ahead = watch.watchRoutes({ routerId: 'ahead', resumeToken: router.applied + 5 });
    await expect(ahead.next()).rejects.toMatchObject({ kind: 'unavailable' });
    const known = await watch.watchRoutes({ routerId: 'known', resumeToken: 0 }).next();
    expect(known.value!.models.map(({ model }) => model)).toEqual(['digits']);
    await site.postgres.restart();
    await eventually(async () => expect((await replica.adminState())['databaseUp']).toBe(true));
    router.kill();
  });
});
