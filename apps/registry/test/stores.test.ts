import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from '@sluice/persistence/data-source';
import { createTransactions } from '@sluice/persistence/transaction';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { FolderStore } from '../src/artifacts/folder-store.ts';
import { ArtifactUseStore } from '../src/store/artifact-use-store.ts';
import { LeaseStore } from '../src/store/lease-store.ts';
import { createStatements } from '../src/store/sql.ts';
import { exampleFiles, linearModel, push, sha256, Site, upload } from './harness.ts';

let site: Site;
let service: DataSource;
let owner: DataSource;

beforeAll(async () => {
  site = await Site.open();
  const connect = (url: string) =>
    createDataSource({ url, schema: 'registry', applicationName: 'stores-test', poolSize: 20 });
  service = await connect(site.serviceUrl);
  owner = await connect(site.ownerUrl);
});
afterAll(async () => {
  await service.destroy();
  await owner.destroy();
  await site.close();
});

describe('heartbeats and outages', () => {
  it('of many replicas at once record one outage, and leases of before it live on', async () => {
    const leases = new LeaseStore(createStatements(service));
    await leases.renewRouter({ routerId: 'r', address: 'h:1', appliedRevision: 1, ttlMs: 3_000 });
    await owner.query(`update registry.router_lease set renewed_at = renewed_at - interval '10 seconds'`);
    expect((await leases.read()).routers[0]?.live).toBe(false);
    // As it is when nobody could write for 9.5 of these 10 seconds.
    await owner.query(`update registry.write_heartbeat set at = clock_timestamp() - interval '9500 milliseconds'`);
    expect((await leases.read()).routers[0]?.live).toBe(true);
    await Promise.all(Array.from({ length: 20 }, () => leases.beat()));
    const { outages, leases: now } = await leases.readWithOutages();
    expect(outages).toHaveLength(1);
    expect(outages[0]!.to - outages[0]!.from).toBeGreaterThanOrEqual(9_500);
    expect(now.routers[0]).toMatchObject({ live: true, expiresAt: outages[0]!.to + 3_000 });
  });

  it('are forgotten when no lease remembers them', async () => {
    const leases = new LeaseStore(createStatements(service));
    await owner.query(
      `update registry.outage set from_at = from_at - interval '3 days', to_at = to_at - interval '3 days'`,
    );
    await owner.query(`update registry.router_lease set renewed_at = renewed_at - interval '2 hours'`);
    await leases.prune();
    const { outages, leases: now } = await leases.readWithOutages();
    expect([outages, now.routers]).toEqual([[], []]);
  });
});

describe('artifacts that nothing refers to', () => {
  it('go after their grace period, and no others', async () => {
    const replica = await site.start();
    const ann = replica.as('ann');
    const kept = await linearModel('kept');
    const dropped = await exampleFiles('wdbc/logistic');
    await push(ann, 'digits', kept);
    const { version } = await push(ann, 'wdbc', dropped);
    await ann.deleteVersion({ model: 'wdbc', version: version.number });
    const orphan = await upload(ann, Buffer.from('nobody wants me'));
    const artifacts = new FolderStore({ folder: join(site.folder, 'artifacts'), clock: systemClock });
    const transactions = createTransactions(service, { clock: systemClock, random: systemRandom });
    const use = new ArtifactUseStore(transactions, artifacts);
    // As it is when a registry dies between the bytes and their row.
    await owner.query(`delete from registry.artifact where sha256 = $1`, [orphan]);
    expect(await use.collect(60_000)).toBe(0);
    expect(await use.collect(0)).toBe(dropped.size + 1);
    const gone = [orphan, ...[...dropped.values()].map(sha256)];
    expect(await ann.statArtifacts({ sha256: gone })).toEqual({ present: [] });
    const still = [...kept.values()].map(sha256);
    expect((await ann.statArtifacts({ sha256: still })).present.toSorted()).toEqual(still.toSorted());
  });

  it('have their grace period from when the last version that had them was deleted', async () => {
    const replica = await site.start();
    const ann = replica.as('ann');
    const { version } = await push(ann, 'short-lived', await linearModel('short-lived'));
    await owner.query(`update registry.artifact set last_used_at = last_used_at - interval '2 days'`);
    await ann.deleteVersion({ model: 'short-lived', version: version.number });
    const artifacts = new FolderStore({ folder: join(site.folder, 'artifacts'), clock: systemClock });
    const transactions = createTransactions(service, { clock: systemClock, random: systemRandom });
    await new ArtifactUseStore(transactions, artifacts).collect(86_400_000);
    const digests = version.files.map((file) => file.sha256);
    expect((await ann.statArtifacts({ sha256: digests })).present.toSorted()).toEqual(digests.toSorted());
  });

  it('are spared from now on by whoever asks for them', async () => {
    const replica = await site.start();
    const ann = replica.as('ann');
    const wanted = await upload(ann, Buffer.from('wanted soon'));
    await owner.query(
      `update registry.artifact set last_used_at = last_used_at - interval '2 days' where sha256 = $1`,
      [wanted],
    );
    expect(await ann.statArtifacts({ sha256: [wanted] })).toEqual({ present: [wanted] });
    const artifacts = new FolderStore({ folder: join(site.folder, 'artifacts'), clock: systemClock });
    const transactions = createTransactions(service, { clock: systemClock, random: systemRandom });
    expect(await new ArtifactUseStore(transactions, artifacts).collect(86_400_000)).toBe(0);
  });
});
