import type { AuditEntry__Output } from '@sluice/contracts/gen/sluice/registry/v1/AuditEntry';
import type { PutReleaseRequest } from '@sluice/contracts/gen/sluice/registry/v1/PutReleaseRequest';
import type { ReleaseArm } from '@sluice/contracts/gen/sluice/registry/v1/ReleaseArm';
import { auditService, type AuditServiceMethods } from '@sluice/contracts/services';
import { createRpcClient, type RpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { identityModel } from '@sluice/testkit/onnx-builder';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRouter, FakeRuntime, pause } from './fleet.ts';
import { followMove, push, type RegistryClient, type Replica, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;
let audit: RpcClient<AuditServiceMethods>;
let runtime: FakeRuntime;
let router: FakeRouter;

const features = 'signature: { inputs: [{ name: x, features: [age, income, height] }] }\n';
const task = 'task: { kind: regression, prediction: y }\n';

/** A version of its own, by what its notes say. */
async function pushed(model: string, manifest: string, type: 'FP32' | 'FP64' = 'FP32'): Promise<void> {
  const files = new Map<string, Uint8Array>([['m.onnx', Buffer.from(identityModel(type))]]);
  const notes = `tags: [${model}-${systemClock.now()}]\n`;
  const { version } = await push(ann, model, files.set('sluice.yaml', Buffer.from(notes + manifest)));
  expect(version.state).toBe('VERSION_STATE_READY');
}

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  ann = replica.as('ann');
  audit = createRpcClient(auditService, replica.address, { clock: systemClock });
  runtime = FakeRuntime.start(replica.watch(), 'rt-1');
  router = FakeRouter.start(replica.watch(), 'router-1');
  await ann.createModel({ name: 'm', settings: { approvalsRequired: 0 } });
  await pushed('m', features + task);
  await pushed('m', features);
  await pushed('m', '', 'FP64');
  await moved('m', 1);
});
afterAll(async () => {
  runtime.kill();
  router.kill();
  audit.close();
  await site.close();
});

async function moved(model: string, version: number): Promise<void> {
  const { move } = await ann.moveAlias({ model, alias: 'champion', version });
  await followMove(ann, move!.id);
}

const primary: ReleaseArm = { name: 'primary', version: 1, role: 'ARM_ROLE_PRIMARY', weight: 90 };
const next: ReleaseArm = { name: 'next', version: 2, role: 'ARM_ROLE_CANDIDATE', weight: 10 };
const canary: PutReleaseRequest = { model: 'm', mode: 'RELEASE_MODE_CANARY', arms: [primary, next] };
const releaseOf = async (model = 'm') => (await ann.getModel({ name: model })).release;
const refusal = async (call: Promise<unknown>) => {
  const { kind, message } = (await call.catch((thrown: unknown) => thrown)) as { kind: string; message: string };
  return `${kind}: ${message}`;
};
const newest = async (object: string): Promise<readonly AuditEntry__Output[]> =>
  (await audit.listAuditEntries({ objectPrefix: object, descending: true, pageSize: 10 })).entries;
const bodyOf = ({ canonicalJson }: AuditEntry__Output) => (JSON.parse(canonicalJson) as { body: unknown }).body;
const asOf = async (ms: number) => {
  const time = { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1e6 };
  return (await ann.getStateAsOf({ model: 'm', time })).release;
};
/** A moment that lies between two changes. */
async function moment(): Promise<number> {
  await pause(2);
  const now = systemClock.now();
  await pause(2);
  return now;
}

describe('a release that somebody puts', () => {
  it('rules until it is ended: kept, placed, told to watchers, in the log and in the past', async () => {
    const implicit = (await releaseOf())!;
    const times = [await moment()];
    const rules = [{ metadataKey: 'x-region', equals: 'eu', arm: 'next' }];
    const put = { ...canary, rules, expectedRevision: implicit.revision };
    const { release } = await ann.putRelease(put);
    times.push(await moment());
    expect(release).toEqual({
      ...{ id: `m@${release!.revision}`, model: 'm', mode: 'RELEASE_MODE_CANARY', seedId: 'm/1', policyVersion: '0' },
      arms: [
        { ...primary, version: '1', propensity: 0.9, versionDigest: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
        { ...next, version: '2', propensity: 0.1, versionDigest: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      ],
      rules: [{ id: 'rule-1', ...rules[0] }],
      capture: implicit.capture,
      ...{ revision: release!.revision, implicit: false, ownCapture: false },
    });
    expect(await releaseOf()).toEqual(release);
    await eventually(() => expect(router.models.get('m')?.release).toEqual(release));
    expect(router.models.get('m')!.placed.map(({ number, hasTask }) => [number, hasTask])).toEqual([
      ['1', true],
      ['2', false],
    ]);
    await eventually(() => expect(runtime.assigned.get('m:2')?.heldBy).toEqual([`release:${release!.id}`]));
    expect(runtime.assigned.get('m:1')?.heldBy).toEqual(['alias:champion', `release:${release!.id}`]);
    expect(await refusal(ann.deleteVersion({ model: 'm', version: 2 }))).toMatch(
      /^failed-precondition: .*release m@\d+ sends traffic to it .*`sluice release end m`/,
    );

    // The same again changes nothing; one who saw another release is told.
    const again = await ann.putRelease({ ...put, expectedRevision: release!.revision });
    expect(again.release).toEqual(release);
    const stale = `conflict: expected_revision: the release of m is at revision ${release!.revision}, not`;
    expect(await refusal(ann.putRelease(put))).toContain(`${stale} ${implicit.revision}: `);
    expect(await refusal(ann.endRelease({ model: 'm', expectedRevision: 0 }))).toContain(`${stale} 0: `);

    // Champion moves, and the release does not.
    await moved('m', 2);
    await eventually(() => expect(router.aliases('m')).toEqual({ champion: 2 }));
    expect(router.models.get('m')!.release).toEqual(release);

    times.push(await moment());
    const ended = await ann.endRelease({ model: 'm', expectedRevision: release!.revision });
    times.push(await moment());
    expect(ended.release).toMatchObject({ implicit: true, arms: [{ version: '2' }], mode: 'RELEASE_MODE_FIXED' });
    await eventually(() => expect(router.models.get('m')?.release).toEqual(ended.release));
    await eventually(() => expect(runtime.assigned.get('m:1')?.heldBy).toEqual(['retained:champion']));
    expect(await refusal(ann.endRelease({ model: 'm' }))).toMatch(
      /^not-found: model: m has no release that somebody made/,
    );
    expect(await Promise.all(times.map(asOf))).toEqual([implicit, release, release, ended.release]);

    const [end, begin, ...others] = await newest('model/m/release');
    expect(others).toEqual([]);
    expect([begin!, end!].map(({ action, actor, leafIndex }) => [action, actor, leafIndex])).toEqual([
      ['release.put', 'ann', release!.revision],
      ['release.ended', 'ann', ended.release!.revision],
    ]);
    expect(bodyOf(begin!)).toEqual({
      ...{ model: 'm', release: release!.id, before: implicit.id, mode: 'canary', seed_id: 'm/1', capture: null },
      arms: release!.arms.map(({ name, version, weight, propensity, versionDigest: digest }, at) => ({
        ...{ name, version: Number(version), weight, propensity, digest, role: at === 0 ? 'primary' : 'candidate' },
      })),
      rules: [{ id: 'rule-1', metadata_key: 'x-region', equals: 'eu', arm: 'next' }],
    });
    expect(bodyOf(end!)).toEqual({ model: 'm', release: release!.id, after: ended.release!.id, version: 2 });
  });

  it('is refused with the field that is wrong, and leaves all as it is', async () => {
    const before = await releaseOf();
    const put = (changes: object, ...arms: ReleaseArm[]) => refusal(ann.putRelease({ ...canary, arms, ...changes }));
    expect(await put({ mode: 'RELEASE_MODE_UNSPECIFIED' }, primary)).toBe(
      'invalid-argument: mode: missing; expected fixed, ab, canary or shadow',
    );
    expect(await put({ mode: 'RELEASE_MODE_BANDIT' }, primary, next)).toMatch(/^unimplemented: mode: bandit/);
    expect(await put({}, primary, { ...next, role: 'ARM_ROLE_UNSPECIFIED' })).toBe(
      'invalid-argument: arms[1].role: missing; expected primary, candidate or shadow',
    );
    expect(await put({}, primary, { ...next, version: 0 })).toMatch(
      /^invalid-argument: arms\[1\]\.version: 0 or missing/,
    );
    expect(await put({}, primary, { ...next, weight: -1 })).toMatch(/^invalid-argument: arms\[1\]\.weight: -1 given/);
    expect(await put({}, primary, { ...next, version: 9 })).toMatch(
      /^not-found: arms\[1\]\.version: m has no version 9/,
    );
    expect(await put({}, primary, { ...next, version: 3 })).toBe(
      'failed-precondition: arms[1].version: version 3 cannot stand for version 1 of arm "primary": its input "x" is FP64, not FP32',
    );
    expect(await put({ seedId: 'a b' }, primary, next)).toMatch(/^invalid-argument: seed_id: /);
    expect(await put({ rules: [{ arm: 'x' }] }, primary, next)).toMatch(
      /^invalid-argument: rules\[0\]\.metadata_key: /,
    );
    expect(await put({ capture: { rate: 2 } }, primary, next)).toMatch(/^invalid-argument: capture\.rate: 2 given/);
    expect(await put({ capture: { redact: { names: ['x', 'agee'] } } }, primary, next)).toBe(
      'invalid-argument: capture.redact: no ready version of m has an input or feature "agee"; there are age, height, income, x',
    );
    expect(await put({ model: 'none' }, primary, next)).toMatch(/^not-found: model: there is no model "none"/);
    expect(await releaseOf()).toEqual(before);
  });

  it('keeps the seed of the one before it, unless it names another', async () => {
    const seedOf = async (changes: object) => (await ann.putRelease({ ...canary, ...changes })).release!.seedId;
    expect(await seedOf({ seedId: 'm/second' })).toBe('m/second');
    expect(await seedOf({ arms: [primary, { ...next, weight: 20 }] })).toBe('m/second');
    expect((await ann.endRelease({ model: 'm' })).release!.seedId).toBe('m/1');
  });

  it('stays when a version of it is quarantined, as an alias does; a new one may not name it', async () => {
    const { release } = await ann.putRelease(canary);
    const { version } = await ann.getVersion({ model: 'm', version: '2' });
    const at = { seconds: 1_000, nanos: 0 };
    const strike = { runtimeId: 'rt-1', pool: 'default', model: 'm', version: 2, digest: version!.digest, at };
    for (const strikeId of ['s1', 's2', 's3'])
      await replica.watch().reportStrike({ ...strike, strikeId, kind: 'hung' });
    await eventually(() => {
      const route = router.models.get('m')!;
      expect([route.quarantined.map((each) => each.version), route.unplaced]).toEqual([['2'], ['2', '3']]);
      expect(route.release).toEqual(release);
    });
    await eventually(() => expect(runtime.assigned.has('m:2')).toBe(false));
    expect(await refusal(ann.putRelease({ ...canary, arms: [primary, { ...next, weight: 1 }] }))).toMatch(
      /^failed-precondition: arms\[1\]\.version: m version 2 is quarantined: .*`sluice quarantine lift m 2`/,
    );
    await ann.liftQuarantine({ model: 'm', version: 2 });
    await eventually(() => expect(runtime.assigned.has('m:2')).toBe(true));
    await ann.endRelease({ model: 'm' });
  });

  it('needs approvals of what answers and none of shadows, and does not end in what has none', async () => {
    await pushed('asked', features);
    await pushed('asked', features);
    const shadow: ReleaseArm = { name: 'mirror', version: 2, role: 'ARM_ROLE_SHADOW' };
    const put: PutReleaseRequest = { model: 'asked', mode: 'RELEASE_MODE_SHADOW', arms: [primary, shadow] };
    expect(await refusal(ann.putRelease(put))).toMatch(
      /^failed-precondition: arms\[0\]\.version: asked version 1 needs an approval .* somebody other than ann.*`sluice approve asked 1 --as NAME`/,
    );
    await replica.as('bob').approve({ model: 'asked', version: 1 });
    expect((await ann.putRelease(put)).release!.arms).toMatchObject([{ propensity: 1 }, { weight: 0, propensity: 1 }]);
    expect(await refusal(ann.putRelease({ ...put, mode: 'RELEASE_MODE_AB', arms: [primary, next] }))).toMatch(
      /^failed-precondition: arms\[1\]\.version: asked version 2 needs an approval/,
    );
    await ann.pinVersion({ model: 'asked', version: 2 });
    expect(await refusal(ann.endRelease({ model: 'asked' }))).toMatch(
      /^failed-precondition: model: without champion the pinned version 2 of asked would answer, and it has no approval/,
    );
    await ann.unpinVersion({ model: 'asked', version: 2 });
    expect(await ann.endRelease({ model: 'asked' })).toEqual({ release: null });
    expect(await refusal(ann.pinVersion({ model: 'asked', version: 2 }))).toMatch(/^failed-precondition: version: /);
  });

  it('needs runtimes with the devices of versions that are new in it', async () => {
    await ann.createModel({ name: 'gpu', settings: { approvalsRequired: 0 } });
    await pushed('gpu', 'device: cuda\n');
    const put = (seedId: string) =>
      ann.putRelease({ model: 'gpu', mode: 'RELEASE_MODE_FIXED', arms: [primary], seedId });
    expect(await refusal(put(''))).toMatch(/^failed-precondition: arms\[0\]\.version: gpu version 1 .*cuda/);
    const devices = [{ name: 'cuda:0', state: 'DEVICE_STATE_AVAILABLE' as const }];
    const other = FakeRuntime.startIn(replica.watch(), 'gpu-1', 'gpu', devices);
    await eventually(() => put(''));
    await other.leave();
    expect((await put('gpu/2')).release!.seedId).toBe('gpu/2');
  });
});

describe('the capture policy of a model', () => {
  const captureOf = async () => (await releaseOf())!.capture!;

  it('is changed by single fields, and with it the release, at once', async () => {
    const before = (await releaseOf())!;
    const { model } = await ann.updateModel({
      ...{ name: 'm', owner: 'risk' },
      capture: {
        ...{ rate: 0.1, request: true, response: 'RESPONSE_CAPTURE_ALL', maxPayloadBytes: 1_000 },
        ...{ retentionClass: 'short', durability: 'DURABILITY_DURABLE', redact: { names: ['income', 'x'] } },
      },
    });
    const capture = {
      ...{ rate: 0.1, payload: true, request: true, response: true, maxPayloadBytes: '1000', redact: ['income', 'x'] },
      ...{ retentionClass: 'short', durability: 'DURABILITY_DURABLE' },
    };
    expect(model!.settings!.capture).toMatchObject(capture);
    const after = (await releaseOf())!;
    expect(after).toMatchObject({ capture, revision: model!.revision, id: `m@${model!.revision}`, implicit: true });
    expect(after.arms).toEqual(before.arms);
    await eventually(() => expect(router.models.get('m')?.release).toEqual(after));
    const [entry] = await newest('model/m');
    const policy = (of: object) => ({ capture: expect.objectContaining(of) as unknown });
    expect(bodyOf(entry!)).toEqual({
      model: 'm',
      before: { owner: '', ...policy({ rate: 1, redact: [], durability: 'best-effort' }) },
      after: { owner: 'risk', ...policy({ rate: 0.1, redact: ['income', 'x'], durability: 'durable' }) },
    });

    await ann.updateModel({ name: 'm', capture: { response: 'RESPONSE_CAPTURE_SMALL', redact: {} } });
    const { response, ...small } = capture;
    expect(response).toBe(true);
    expect(await captureOf()).toMatchObject({ ...small, payload: false, redact: [] });
    expect(await captureOf()).not.toHaveProperty('response');
    expect(await releaseOf()).toMatchObject({ revision: (await newest('model/m'))[0]!.leafIndex });
  });

  it('stays as it is where nothing changes, and where a change is refused', async () => {
    const before = (await ann.getModel({ name: 'm' })).model!;
    const update = (capture: object, more: object = {}) => ann.updateModel({ name: 'm', capture, ...more });
    expect((await update({ rate: 0.1 })).model!.revision).toBe(before.revision);
    for (const [capture, message] of [
      [{ rate: 2 }, /^invalid-argument: capture\.rate: 2 given/],
      [{ maxPayloadBytes: 0 }, /^invalid-argument: capture\.max_payload_bytes: 0 given/],
      [
        { retentionClass: 'ever' },
        /^invalid-argument: capture\.retention_class: "ever" given; .* short, standard, long/,
      ],
      [
        { redact: { names: ['y'] } },
        /^invalid-argument: capture\.redact: no ready version of m has .* "y"; there are age/,
      ],
    ] as const) {
      expect(await refusal(update(capture))).toMatch(message);
    }
    expect(await refusal(update({ rate: 0.5 }, { expectedRevision: 1 }))).toMatch(/^conflict: /);
    expect(await refusal(ann.createModel({ name: 'n', capture: { redact: { names: ['age'] } } }))).toMatch(
      /^invalid-argument: capture\.redact: .* "age"; n has no ready version yet/,
    );
    expect((await ann.getModel({ name: 'm' })).model).toMatchObject({ revision: before.revision });
    const { model } = await ann.createModel({ name: 'n', capture: { rate: 0.25 } });
    expect(model!.settings!.capture).toMatchObject({ rate: 0.25, retentionClass: 'standard' });
    expect(bodyOf((await newest('model/n'))[0]!)).toMatchObject({ settings: { capture: { rate: 0.25, redact: [] } } });
  });

  it('is told to routers without a release too', async () => {
    const routed = async (rate: number) =>
      eventually(() => {
        const { release, capture } = router.models.get('n')!;
        expect([release, capture]).toMatchObject([null, { rate, retentionClass: 'standard' }]);
      });
    await routed(0.25);
    await ann.updateModel({ name: 'n', capture: { rate: 0 } });
    await routed(0);
  });

  it('is that of a release that has none of its own, and not that of one that has', async () => {
    const { release } = await ann.putRelease(canary);
    expect(release).toMatchObject({ capture: { rate: 0.1 }, ownCapture: false });
    const before = await moment();
    await ann.updateModel({ name: 'm', capture: { rate: 0.2 } });
    const followed = (await releaseOf())!;
    expect(followed).toMatchObject({ capture: { rate: 0.2 }, arms: release!.arms, implicit: false });
    expect(Number(followed.revision)).toBeGreaterThan(Number(release!.revision));
    expect([followed.id, await asOf(before)]).toEqual([`m@${followed.revision}`, release]);
    await eventually(() => expect(router.models.get('m')?.release).toEqual(followed));
    await eventually(() => expect(runtime.assigned.get('m:1')?.heldBy).toContain(`release:${followed.id}`));

    const own = (await ann.putRelease({ ...canary, capture: { retentionClass: 'long' } })).release!;
    expect(own).toMatchObject({ capture: { rate: 0.2, retentionClass: 'long' }, ownCapture: true });
    await ann.updateModel({ name: 'm', capture: { rate: 0.3 } });
    expect(await releaseOf()).toEqual(own);
    expect((await ann.endRelease({ model: 'm' })).release!.capture).toMatchObject({
      ...{ rate: 0.3, retentionClass: 'short' },
    });
  });
});

it('a release that was stored before there was more than a rate and a durability is told with the defaults', async () => {
  const client = new pg.Client({ connectionString: site.ownerUrl });
  await client.connect();
  await client.query(`begin; set local session_replication_role = 'replica';
    update registry.release set body = jsonb_set(body, '{capture}',
      '{"rate": 0.5, "payload": false, "durability": "durable", "retentionClass": "default"}') where to_at is null;
    commit`);
  await client.end();
  const other = await site.start();
  const late = FakeRouter.start(other.watch(), 'router-2');
  await eventually(() => {
    expect(late.models.get('m')?.release?.capture).toMatchObject({
      ...{ rate: 0.5, request: false, durability: 'DURABILITY_DURABLE', retentionClass: 'standard', redact: [] },
      maxPayloadBytes: '65536',
    });
  });
  late.kill();
  await other.stop();
});

it('the audit log verifies after all of it', async () => {
  let verdict: { readonly ok: boolean; readonly problems: readonly string[] } | null = null;
  for await (const message of audit.verifyAudit({})) verdict = message.verdict ?? verdict;
  expect(verdict).toMatchObject({ ok: true, problems: [] });
});
