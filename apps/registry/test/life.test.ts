import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Timestamp } from '@sluice/contracts/gen/google/protobuf/Timestamp';
import type { LabelChanges } from '@sluice/contracts/gen/sluice/registry/v1/LabelChanges';
import { auditService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { FakeRouter, FakeRuntime } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { exampleFiles, followMove, linearModel, push, sha256, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;
let bob: RegistryClient;
let runtime: FakeRuntime;
let router: FakeRouter;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  ann = replica.as('ann');
  bob = replica.as('bob');
  runtime = FakeRuntime.start(replica.watch(), 'rt-1');
  router = FakeRouter.start(replica.watch(), 'router-1');
});
afterAll(async () => {
  runtime.kill();
  router.kill();
  await site.close();
});

describe('the life of a model', () => {
  it('begins with a push, whose admission is streamed and stored', async () => {
    const { version, progress } = await push(ann, 'digits', await exampleFiles('digits/mlp'), { requestId: 'push-1' });
    expect(version.state).toBe('VERSION_STATE_READY');
    expect([version.number, version.createdBy]).toEqual(['1', 'ann']);
    expect(version.signature?.inputs[0]).toMatchObject({ datatype: 'FP32', min: 0, max: 16 });
    expect(version.admission?.passed).toBe(true);
    expect(version.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(progress.length).toBeGreaterThan(2);
    const { model } = await ann.getModel({ name: 'digits' });
    expect(model?.settings?.approvalsRequired).toBe(1);
  });

  it('tells runtimes what it takes to load a version that is not placed', async () => {
    const of = { model: 'digits', version: 1, runtimeId: 'rt-1', pool: 'default' };
    const { assignment } = await replica.watch().getAssignment(of);
    const { version } = await ann.getVersion({ model: 'digits', version: '1' });
    expect(assignment).toMatchObject({
      ...{ model: 'digits', version: '1', digest: version!.digest, graphPath: version!.graphPath },
      ...{ heldBy: [], aliases: [], champion: false, pinnedOnly: false },
    });
    expect(assignment!.files).toEqual(version!.files);
    expect(assignment!.serving!.maxBatchSize).toBe(version!.serving!.maxBatchSize);
    // What admission found: more than nothing, and less than its whole process.
    expect(Number(assignment!.memoryBytes)).toBeGreaterThan(0);
    expect(assignment!.memoryBytes).toBe(version!.admission!.modelBytes);
    expect(Number(assignment!.memoryBytes)).toBeLessThan(Number(version!.admission!.peakRssBytes) / 2);
    for (const [more, kind] of [
      [{ version: 9 }, 'not-found'],
      [{ model: 'nobody' }, 'not-found'],
      [{ pool: 'other' }, 'not-found'],
      [{ version: 0 }, 'invalid-argument'],
    ] as const) {
      await expect(replica.watch().getAssignment({ ...of, ...more })).rejects.toMatchObject({ kind });
    }
  });

  it('takes leases with versions that were unloaded to make room', async () => {
    const versions = [{ model: 'digits', version: 1, state: 'LOAD_STATE_EVICTED', reason: 'no room' }] as const;
    const lease = { runtimeId: 'rt-full', pool: 'default', address: '127.0.0.1:2', appliedRevision: 0, ttlMs: 60_000 };
    const answer = await replica.watch().renewRuntimeLease({ ...lease, versions: [...versions] });
    expect(answer.takesEvicted).toBe(true);
    await eventually(async () => {
      const { runtimes } = await ann.listLeases({});
      expect(runtimes.find(({ runtimeId }) => runtimeId === 'rt-full')?.versions).toMatchObject([
        { state: 'LOAD_STATE_EVICTED', reason: 'no room' },
      ]);
    });
    await replica.watch().releaseLease({ holderId: 'rt-full' });
  });

  it('answers the same request id with the version that it made', async () => {
    const again = await push(ann, 'digits', await exampleFiles('digits/mlp'), { requestId: 'push-1' });
    expect(again.version.number).toBe('1');
    await expect(push(ann, 'digits', await linearModel(), { requestId: 'push-1' })).rejects.toMatchObject({
      kind: 'already-exists',
    });
  });

  it('refuses to move champion without an approval, and says what to type', async () => {
    await expect(ann.moveAlias({ model: 'digits', alias: 'champion', version: 1 })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('sluice approve digits 1 --as NAME') as string,
    });
    await expect(ann.approve({ model: 'digits', version: 1 })).rejects.toMatchObject({ kind: 'failed-precondition' });
  });

  it('moves champion when somebody else approved and the runtimes have the version', async () => {
    const { approval } = await bob.approve({ model: 'digits', version: 1 });
    expect(approval).toMatchObject({ approver: 'bob', alias: 'champion' });
    const { move } = await ann.moveAlias({ model: 'digits', alias: 'champion', version: 1, expectedRevision: 0 });
    expect(move?.state).toBe('ALIAS_MOVE_STATE_REQUESTED');
    const { last } = await followMove(ann, move!.id);
    expect(last.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');
    expect(last.routers).toEqual([{ routerId: 'router-1', applied: true, appliedRevision: String(router.applied) }]);
    expect(router.primary('digits')).toBe(1);
    expect(router.aliases('digits')).toEqual({ champion: 1 });
    await eventually(() => {
      expect(runtime.assigned.get('digits:1')).toEqual({ heldBy: ['alias:champion'], champion: true });
    });
    const of = { model: 'digits', version: 1, runtimeId: 'rt-1', pool: 'default' };
    expect((await replica.watch().getAssignment(of)).assignment).toMatchObject({
      aliases: ['champion'],
      champion: true,
    });
  });

  it('stores the implicit release with every field', async () => {
    const { release } = await ann.getModel({ name: 'digits' });
    const { version } = await ann.getVersion({ model: 'digits', version: 'champion' });
    expect(release).toMatchObject({
      model: 'digits',
      mode: 'RELEASE_MODE_FIXED',
      arms: [
        {
          name: 'primary',
          version: '1',
          role: 'ARM_ROLE_PRIMARY',
          weight: 1,
          propensity: 1,
          versionDigest: version?.digest,
        },
      ],
      capture: {
        ...{
          rate: 1,
          payload: false,
          request: false,
          durability: 'DURABILITY_BEST_EFFORT',
          retentionClass: 'standard',
        },
        ...{ maxPayloadBytes: '65536', redact: [] },
      },
      seedId: 'digits/1',
      policyVersion: '0',
      implicit: true,
    });
  });

  it('moves on to a second version and rolls back at once, without an approval', async () => {
    const { version } = await push(ann, 'digits', await linearModel());
    expect(version.number).toBe('2');
    await bob.approve({ model: 'digits', version: 2 });
    const second = await ann.moveAlias({ model: 'digits', alias: 'champion', version: 2 });
    await followMove(ann, second.move!.id);
    await eventually(() => expect(runtime.assigned.get('digits:1')?.heldBy).toEqual(['retained:champion']));
    const { move } = await ann.rollback({ model: 'digits' });
    expect(move).toMatchObject({ state: 'ALIAS_MOVE_STATE_EFFECTIVE', fromVersion: '2', toVersion: '1' });
    await eventually(() => expect(router.primary('digits')).toBe(1));
    await eventually(() => expect(runtime.assigned.get('digits:2')?.heldBy).toEqual(['retained:champion']));
  });

  it('keeps the history of every alias and answers for any time', async () => {
    const { entries, moves } = await ann.getAliasHistory({ model: 'digits', alias: 'champion' });
    expect(entries.map((entry) => entry.version)).toEqual(['1', '2', '1']);
    expect(moves.map((move) => move.state)).toEqual(Array(3).fill('ALIAS_MOVE_STATE_EFFECTIVE'));
    expect(entries.at(-1)?.to).toBeNull();
    const second = await ann.getStateAsOf({ model: 'digits', time: entries[1]!.from });
    expect(second.aliases.map(({ alias, version }) => [alias, version])).toEqual([['champion', '2']]);
    expect(second.release?.arms[0]?.version).toBe('2');
    expect(second.versions.map(({ number, state, aliases }) => [number, state, aliases])).toEqual([
      ['1', 'VERSION_STATE_READY', []],
      ['2', 'VERSION_STATE_READY', ['champion']],
    ]);
    const first = await ann.getStateAsOf({ model: 'digits', time: entries[0]!.from });
    expect(first.aliases.map(({ version }) => version)).toEqual(['1']);
    expect(first.versions.map(({ number }) => number)).toEqual(['1']);
    const before = await ann.getStateAsOf({ model: 'digits', time: { seconds: 1, nanos: 0 } });
    expect(before).toEqual({ aliases: [], versions: [], release: null, settings: null, nextPageToken: '' });
    const paged = { model: 'digits', time: entries[1]!.from, pageSize: 1 };
    const one = await ann.getStateAsOf(paged);
    const two = await ann.getStateAsOf({ ...paged, pageToken: one.nextPageToken });
    expect([one, two].map(({ versions }) => versions.map(({ number }) => number))).toEqual([['1'], ['2']]);
    expect([two.aliases, two.release, two.nextPageToken]).toEqual([second.aliases, second.release, '']);
  });

  it('keeps a version loaded while it is pinned, and refuses to delete what is referred to', async () => {
    const { version } = await push(ann, 'digits', await linearModel());
    const stale = { model: 'digits', version: version.number, expectedRevision: 1 };
    await expect(ann.pinVersion(stale)).rejects.toMatchObject({ kind: 'conflict' });
    await expect(bob.approve(stale)).rejects.toMatchObject({ kind: 'conflict' });
    const pinned = await ann.pinVersion({ ...stale, expectedRevision: version.revision });
    expect(Number(pinned.revision)).toBeGreaterThan(Number(version.revision));
    await eventually(() => expect(runtime.assigned.get('digits:3')?.heldBy).toEqual(['pin']));
    await eventually(() => expect(router.models.get('digits')?.unplaced).toEqual([]));
    await expect(ann.deleteVersion({ model: 'digits', version: 3 })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('sluice unpin digits 3') as string,
    });
    await expect(ann.deleteVersion({ model: 'digits', version: 1 })).rejects.toThrow(/alias champion points to it/);
    await expect(ann.deleteVersion({ model: 'digits', version: 2 })).rejects.toThrow(/kept for a rollback until/);
    await ann.unpinVersion({ model: 'digits', version: 3, expectedRevision: pinned.revision });
    await eventually(() => expect(runtime.assigned.has('digits:3')).toBe(false));
    await eventually(() => expect(router.models.get('digits')?.unplaced).toEqual(['3']));
  });

  it('leaves a tombstone whose number is never used again', async () => {
    const stale = ann.deleteVersion({ model: 'digits', version: 3, expectedRevision: 1 });
    await expect(stale).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringMatching(/is at revision \d+/) as string,
    });
    await ann.deleteVersion({ model: 'digits', version: 3 });
    const { version } = await ann.getVersion({ model: 'digits', version: '3' });
    expect(version?.state).toBe('VERSION_STATE_DELETED');
    const listed = await ann.listVersions({ model: 'digits' });
    expect(listed.versions.map(({ number }) => number)).toEqual(['1', '2']);
    const next = await push(ann, 'digits', await linearModel());
    expect(next.version.number).toBe('4');
    await eventually(() => expect(router.models.get('digits')?.unplaced).toEqual(['4']));
  });

  it('changes settings only by UpdateModel, against the expected revision', async () => {
    const { model } = await ann.getModel({ name: 'digits' });
    const changed = await ann.updateModel({
      name: 'digits',
      description: 'hand-written digits',
      approvalsRequired: 0,
      expectedRevision: model!.revision,
    });
    expect(changed.model?.settings).toMatchObject({
      owner: '',
      description: 'hand-written digits',
      approvalsRequired: 0,
    });
    await expect(
      ann.updateModel({ name: 'digits', owner: 'x', expectedRevision: model!.revision }),
    ).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining(changed.model!.revision) as string });
    await expect(ann.updateModel({ name: 'digits', approvalsRequired: 2 })).rejects.toThrow(/approvals_required: 2/);
  });

  it('takes an alias away and keeps its history', async () => {
    const { move } = await ann.moveAlias({ model: 'digits', alias: 'best', version: 4 });
    await followMove(ann, move!.id);
    await ann.deleteAlias({ model: 'digits', alias: 'best' });
    await eventually(() => expect(router.aliases('digits')).toEqual({ champion: 1 }));
    const { entries } = await ann.getAliasHistory({ model: 'digits', alias: 'best' });
    expect(entries).toHaveLength(1);
    expect(entries[0]?.to).not.toBeNull();
    await expect(ann.deleteAlias({ model: 'digits', alias: 'best' })).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('artifacts', () => {
  it('come back byte for byte, also from an offset', async () => {
    const [bytes] = [...(await exampleFiles('digits/mlp')).values()];
    const digest = sha256(bytes!);
    const parts = [];
    for await (const { chunk } of ann.downloadArtifact({ sha256: digest, offset: 10 })) parts.push(chunk);
    expect(sha256(Buffer.concat([bytes!.subarray(0, 10), ...parts]))).toBe(digest);
    expect(await ann.statArtifacts({ sha256: [digest, 'a'.repeat(64)] })).toEqual({ present: [digest] });
  });

  it('are refused when the bytes are not what the header said', async () => {
    const header = { sha256: 'b'.repeat(64), size: 3 };
    await expect(ann.uploadArtifact([{ header }, { chunk: Buffer.from('abc') }])).rejects.toMatchObject({
      kind: 'invalid-argument',
    });
    await expect(ann.uploadArtifact([{ chunk: Buffer.from('abc') }])).rejects.toThrow(/^header: /);
  });

  it('must be uploaded before a version is made of them', async () => {
    const files = [{ path: 'a.onnx', sha256: 'c'.repeat(64), size: 3 }];
    const stream = ann.createVersion({ model: 'digits', files });
    await expect(stream.next()).rejects.toMatchObject({ kind: 'failed-precondition' });
  });
});

describe('the label policy of a model', () => {
  it('is LATEST until somebody changes it, field by field, in the log with what was there before', async () => {
    const { model } = await ann.createModel({ name: 'labels' });
    expect(model!.settings!.labels).toEqual({ resolution: 'LABEL_RESOLUTION_LATEST', trustedSources: [] });
    const change = async (labels: LabelChanges) => {
      const { model: changed } = await ann.updateModel({ name: 'labels', labels });
      expect((await ann.getModel({ name: 'labels' })).model).toEqual(changed);
      return changed!.settings!.labels;
    };
    const resolution = 'LABEL_RESOLUTION_TRUSTED_FIRST';
    const first = await change({ resolution, trustedSources: { names: ['clinic', 'survey'] } });
    expect(first).toEqual({ resolution, trustedSources: ['clinic', 'survey'] });
    expect(await change({ trustedSources: { names: ['survey'] } })).toEqual({ resolution, trustedSources: ['survey'] });
    const { model: same } = await ann.updateModel({ name: 'labels', labels: { resolution } });
    const latest = { resolution: 'LABEL_RESOLUTION_LATEST', trustedSources: ['survey'] };
    expect(await change({ resolution: 'LABEL_RESOLUTION_LATEST' })).toEqual(latest);
    const asOf = async (time: Timestamp) => (await ann.getStateAsOf({ model: 'labels', time })).settings;
    expect(await asOf({ seconds: Number(model!.createdAt!.seconds) - 1, nanos: 0 })).toBeNull();
    expect(await asOf(model!.createdAt!)).toEqual(model!.settings);
    expect((await asOf({ seconds: 4_000_000_000, nanos: 0 }))!.labels).toEqual(latest);
    const audit = createRpcClient(auditService, replica.address, { clock: systemClock });
    const { entries } = await audit.listAuditEntries({ objectPrefix: 'model/labels' });
    audit.close();
    // The one that changed nothing has none.
    expect(entries.map(({ leafIndex }) => leafIndex)).toContain(same!.revision);
    expect((await asOf(entries[2]!.effectiveAt!))!.labels).toEqual({ resolution, trustedSources: ['survey'] });
    expect(entries.map(({ action }) => action)).toEqual([
      'model.created',
      ...Array.from({ length: 3 }, () => 'model.updated'),
    ]);
    expect((JSON.parse(entries[2]!.canonicalJson) as { body: unknown }).body).toEqual({
      model: 'labels',
      before: { labels: { resolution: 'trusted-first', trustedSources: ['clinic', 'survey'] } },
      after: { labels: { resolution: 'trusted-first', trustedSources: ['survey'] } },
    });
  });

  it('may differ from LATEST from the start, and is refused where it makes no sense', async () => {
    const resolution = 'LABEL_RESOLUTION_TRUSTED_FIRST';
    const labels = { resolution, trustedSources: { names: ['clinic'] } } satisfies LabelChanges;
    const { model } = await ann.createModel({ name: 'trusting', labels });
    expect(model!.settings!.labels).toEqual({ resolution, trustedSources: ['clinic'] });
    for (const call of [
      () => ann.updateModel({ name: 'trusting', labels: { trustedSources: { names: [] } } }),
      () => ann.createModel({ name: 'other', labels: { resolution } }),
      () => ann.createModel({ name: 'other', settings: { labels: { trustedSources: [] } } }),
    ]) {
      const message = expect.stringMatching(/labels/) as string;
      await expect(call()).rejects.toMatchObject({ kind: 'invalid-argument', message });
    }
  });
});
