import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { auditService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import type { Replica } from './harness.ts';
import { exampleFiles, push, Site, upload } from './harness.ts';

let site: Site;

beforeAll(async () => {
  site = await Site.open();
});
afterAll(async () => {
  await site.close();
});

/** A copy of the site's database as it is now, to be put in its place later. */
async function copyDatabase(name: string): Promise<string> {
  const url = new URL(site.serviceUrl);
  const client = new pg.Client({ connectionString: site.postgres.ownerUrl() });
  await client.connect();
  try {
    await client.query(`create database ${name} template ${url.pathname.slice(1)}`);
  } finally {
    await client.end();
  }
  url.pathname = `/${name}`;
  return url.toString();
}

async function checkpointed(replica: Replica): Promise<void> {
  const audit = createRpcClient(auditService, replica.address, { clock: systemClock });
  try {
    await eventually(async () => {
      const { entries } = await audit.listAuditEntries({ descending: true, pageSize: 1 });
      const { checkpoint } = await audit.getLatestCheckpoint({});
      expect(Number(checkpoint!.treeSize)).toBe(Number(entries[0]!.leafIndex) + 1);
    }, 15_000);
  } finally {
    audit.close();
  }
}

describe('what one registry leaves, another takes over', () => {
  it('an admission that was running when it stopped', async () => {
    const [first, second] = [await site.start(), await site.start()];
    const ann = first.as('ann');
    const files = [];
    for (const [path, bytes] of await exampleFiles('wdbc/forest')) {
      files.push({ path, sha256: await upload(ann, bytes), size: bytes.length });
    }
    const stream = ann.createVersion({ model: 'wdbc', files, requestId: 'forest' });
    expect((await stream.next()).value!.progress).toMatch(/wdbc version 1 .*: admission begins/);
    const cut = stream.next().then(
      () => stream.return(),
      () => undefined,
    );
    await first.stop(0);
    await cut;
    const again = await push(second.as('ann'), 'wdbc', await exampleFiles('wdbc/forest'), { requestId: 'forest' });
    expect(again.version).toMatchObject({ number: '1', state: 'VERSION_STATE_READY' });
    await second.stop();
  });

  it('a restored database, whose watchers begin anew although the tokens have overtaken theirs', async () => {
    const original = await site.start();
    const ann = original.as('ann');
    await ann.createModel({ name: 'before' });
    await checkpointed(original);
    await original.stop();
    const copy = await copyDatabase('restored');
    const continued = await site.start();
    for (const name of ['lost-a', 'lost-b', 'lost-c']) await continued.as('ann').createModel({ name });
    await checkpointed(continued);
    const lost = (await continued.watch().watchRoutes({ routerId: 'r' }).next()).value!;
    expect(lost.models.map(({ model }) => model)).toContain('lost-a');
    await continued.stop();

    await expect(site.start({ SLUICE_DATABASE_URL: copy })).rejects.toThrow(/--accept-restore/);
    const restored = await site.start({ SLUICE_DATABASE_URL: copy, SLUICE_ACCEPT_RESTORE: 'true' });
    for (const name of ['new-a', 'new-b', 'new-c', 'new-d']) await restored.as('ann').createModel({ name });
    const names = ({ models }: typeof lost): readonly string[] => models.map(({ model }) => model).toSorted();
    await eventually(async () => {
      const resumed = await restored.watch().watchRoutes({ routerId: 'r', resumeToken: lost.resumeToken }).next();
      expect(Number(resumed.value!.resumeToken)).toBeGreaterThan(Number(lost.resumeToken));
      expect(resumed.value!.snapshot).toBe(true);
      expect(names(resumed.value!)).toEqual(['before', 'new-a', 'new-b', 'new-c', 'new-d', 'wdbc']);
    });
    await restored.stop();
  });
});
