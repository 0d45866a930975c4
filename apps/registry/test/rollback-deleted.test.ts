import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FakeRuntime } from './fleet.ts';
import type { Replica } from './harness.ts';
import { followMove, linearModel, push, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let runtime: FakeRuntime;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start({ SLUICE_RETAIN_MS: '1' });
  runtime = FakeRuntime.start(replica.watch(), 'rt-1');
});
afterAll(async () => {
  await runtime.leave();
  await site.close();
});

it('a rollback passes over versions that were deleted, and over those in quarantine', async () => {
  const ann = replica.as('ann');
  const model = 'gone';
  await ann.createModel({ name: model, settings: { approvalsRequired: 0 } });
  for (let version = 1; version <= 5; version += 1) {
    await push(ann, model, await linearModel());
    const { move } = await ann.moveAlias({ model, alias: 'champion', version });
    await followMove(ann, move!.id);
  }
  // What champion left is kept for a moment.
  for (const version of [1, 3]) await eventually(() => ann.deleteVersion({ model, version }));
  const { version: fourth } = await ann.getVersion({ model, version: '4' });
  for (const strikeId of ['s1', 's2', 's3']) {
    const strike = { strikeId, runtimeId: 'rt-1', pool: 'default', model, version: 4, digest: fourth!.digest };
    await replica.watch().reportStrike({ ...strike, kind: 'crashed', at: { seconds: 1_000, nanos: 0 } });
  }
  const { move } = await ann.rollback({ model });
  expect(move?.toVersion).toBe('2');
  await followMove(ann, move!.id);
  await expect(ann.rollback({ model })).rejects.toMatchObject({
    kind: 'failed-precondition',
    message: expect.stringMatching(
      /no version before this one that is neither deleted nor quarantined; choose one with `sluice alias set/,
    ) as string,
  });
});
