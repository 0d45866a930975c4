import { graph, model, node, value } from '@sluice/testkit/onnx-builder';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeRouter } from './fleet.ts';
import { eventually } from '@sluice/testkit/eventually';
import type { RegistryClient, Replica } from './harness.ts';
import { push, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  ann = replica.as('ann');
});
afterAll(async () => {
  await site.close();
});

/** An identity of one tensor whose signature has about 3.6 MB of feature names. */
function wideModel(): Uint8Array {
  const columns = 16_000;
  const names = Array.from({ length: columns }, (_, index) => `${'f'.repeat(194)}${index}`);
  return model({
    graph: graph({
      nodes: [node('Identity', ['x'], ['y'])],
      inputs: [value('x', 'FP32', ['batch', columns])],
      outputs: [value('y', 'FP32', ['batch', columns])],
    }),
    metadata: { feature_names: JSON.stringify(names) },
  });
}

/** More versions of the same files, as pushes would make them, in less time. */
async function copyVersions(count: number): Promise<void> {
  const owner = new pg.Client({ connectionString: site.ownerUrl });
  await owner.connect();
  // No push, so no audit entry.
  await owner.query(`set session_replication_role = 'replica'`);
  await owner.query(`create temporary table copy as select * from registry.version where model = 'wide'`);
  for (let made = 0; made < count; made += 1) {
    await owner.query(`update copy set number = number + 1`);
    await owner.query(`insert into registry.version select * from copy`);
  }
  await owner.query(`update registry.model set last_version = last_version + $1 where name = 'wide'`, [count]);
  await owner.end();
}

it('places versions of a model only as far as routers can be told of them', { timeout: 120_000 }, async () => {
  const router = FakeRouter.start(replica.watch(), 'router-1');
  const { version } = await push(ann, 'wide', new Map([['wide.onnx', wideModel()]]));
  expect(version).toMatchObject({ state: 'VERSION_STATE_READY' });
  await copyVersions(9);
  const versions = Array.from({ length: 10 }, (_, index) => index + 1);
  const pins = await Promise.allSettled(versions.map((version) => ann.pinVersion({ model: 'wide', version })));
  const refused = pins.filter((pin) => pin.status === 'rejected').map((pin) => pin.reason as unknown);
  expect(refused.length).toBeGreaterThan(0);
  for (const error of refused) {
    expect(error).toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringMatching(/wide version \d+ cannot be placed: .* take its aliases and pin away/) as string,
    });
  }
  await eventually(() => expect(router.models.get('wide')?.placed).toHaveLength(10 - refused.length));
  // Whatever lets go of a version goes on.
  const pinned = versions.filter((_, index) => pins[index]?.status === 'fulfilled');
  await ann.unpinVersion({ model: 'wide', version: pinned[0]! });
  await eventually(() => expect(router.models.get('wide')?.placed).toHaveLength(9 - refused.length));
  router.kill();
});
