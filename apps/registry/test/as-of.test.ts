import { attribute, graph, model, node, value } from '@sluice/testkit/onnx-builder';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Version__Output } from '@sluice/contracts/gen/sluice/registry/v1/Version';
import { systemClock } from '@sluice/service-kit/clock';
import { FakeRuntime, pause } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { followMove, linearModel, push, Site } from './harness.ts';

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

/** Numbers that look random and are the same in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What must be the same of a version. */
const seen = ({ number, state, revision, rejection, serving, approvals, pinned, aliases }: Version__Output) => ({
  ...{ number, state, revision, rejection, serving, pinned },
  approvals: approvals.map(({ alias, approver, revision: given }) => [alias, approver, given]),
  aliases: aliases.toSorted(),
});

/** What is true of the model now, by the calls that answer for now. */
async function now() {
  const { model, release } = await ann.getModel({ name: 'm' });
  const { versions } = await ann.listVersions({ model: 'm', showDeleted: true });
  return {
    settings: model!.settings,
    aliases: Object.fromEntries(model!.aliases.map(({ alias, version }) => [alias, version])),
    release,
    versions: versions.map(seen),
  };
}

/** The same, as it was at a time. */
async function then(ms: number) {
  const time = { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
  const { settings, aliases, versions, release, nextPageToken } = await ann.getStateAsOf({ model: 'm', time });
  expect(nextPageToken).toBe('');
  return {
    settings,
    aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])),
    release,
    versions: versions.map(seen),
  };
}

it('asOf answers for every moment of a long history what was true then', { timeout: 120_000 }, async () => {
  const runtime = FakeRuntime.start(replica.watch(), 'rt-1');
  const draw = seeded(20_261_122);
  await ann.createModel({ name: 'm', settings: { approvalsRequired: 0 } });
  for (let made = 0; made < 4; made += 1) await push(ann, 'm', await linearModel());
  const version = (): number => 1 + draw(4);
  const steps: readonly (() => Promise<unknown>)[] = [
    async () => {
      const alias = ['champion', 'best'][draw(2)]!;
      const { move } = await ann.moveAlias({ model: 'm', alias, version: version() });
      await followMove(ann, move!.id);
    },
    () => ann.pinVersion({ model: 'm', version: version() }),
    () => ann.unpinVersion({ model: 'm', version: version() }),
    () => ann.rollback({ model: 'm' }),
    () => ann.deleteAlias({ model: 'm', alias: ['champion', 'best'][draw(2)]! }),
    () => ann.deleteVersion({ model: 'm', version: version() }),
    () => replica.as(['bob', 'cem'][draw(2)]!).approve({ model: 'm', version: version() }),
    () =>
      ann.putRelease({
        ...{ model: 'm', mode: 'RELEASE_MODE_AB' },
        arms: [
          { name: 'a', version: version(), role: 'ARM_ROLE_PRIMARY', weight: 1 },
          { name: 'b', version: version(), role: 'ARM_ROLE_CANDIDATE', weight: 1 + draw(9) },
        ],
      }),
    () => ann.endRelease({ model: 'm' }),
    () => ann.updateModel({ name: 'm', capture: { rate: draw(10) / 10 } }),
    () => {
      const trustedSources = { names: ['clinic', 'survey'].slice(draw(2)) };
      return ann.updateModel({ name: 'm', labels: { resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST', trustedSources } });
    },
  ];
  const moments: { readonly at: number; readonly state: Awaited<ReturnType<typeof now>> }[] = [];
  for (let step = 0; step < 60; step += 1) {
    // Some are refused: nothing to roll back, still in use, deleted. The others count.
    await steps[[0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10][draw(14)]!]!().catch(() => undefined);
    await pause(2);
    moments.push({ at: systemClock.now(), state: await now() });
    await pause(2);
  }
  for (const { at, state } of moments) expect(await then(at)).toEqual(state);
  expect(new Set(moments.map(({ state }) => JSON.stringify(state))).size).toBeGreaterThan(10);
  runtime.kill();
});

it('asOf answers how a version was to be run before its admission ended', async () => {
  // One feature is normalised over the batch: admission turns batching off.
  const nodes = [
    node('ReduceMean', ['x'], ['mean'], [attribute.ints('axes', [0]), attribute.int('keepdims', 1)]),
    node('Sub', ['x', 'mean'], ['y']),
  ];
  const tensors = { inputs: [value('x', 'FP32', ['n', 2])], outputs: [value('y', 'FP32', ['n', 2])] };
  const bytes = model({ graph: graph({ nodes, ...tensors }) });
  const { version } = await push(ann, 'dependent', new Map([['m.onnx', bytes]]));
  expect(version.serving).toMatchObject({ maxBatchSize: 0, batchingOffReason: expect.stringMatching(/./) as string });
  const { versions } = await ann.getStateAsOf({ model: 'dependent', time: version.createdAt });
  expect(versions).toMatchObject([
    { state: 'VERSION_STATE_ADMITTING', serving: { maxBatchSize: 64, batchingOffReason: '' }, admission: null },
  ]);
});
