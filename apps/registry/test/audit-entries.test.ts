import type { AuditEntry__Output } from '@sluice/contracts/gen/sluice/registry/v1/AuditEntry';
import { auditService, type AuditServiceMethods } from '@sluice/contracts/services';
import { createRpcClient, type RpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRuntime } from './fleet.ts';
import { push, type RegistryClient, type Replica, sha256, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let audit: RpcClient<AuditServiceMethods>;
let ann: RegistryClient;
let runtime: FakeRuntime;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start({ SLUICE_RETAIN_MS: '1' });
  audit = createRpcClient(auditService, replica.address, { clock: systemClock });
  ann = replica.as('ann');
  runtime = FakeRuntime.start(replica.watch(), 'rt-1');
});
afterAll(async () => {
  await runtime.leave();
  audit.close();
  await site.close();
});

/** What an entry says, by the text that was hashed. */
function told({ leafIndex, actor, actorKind, action, object, canonicalJson }: AuditEntry__Output) {
  const { body, effective_at: at, ...head } = JSON.parse(canonicalJson) as Record<string, unknown>;
  expect(head).toEqual({ leaf_index: Number(leafIndex), actor, actor_kind: actorKind, action, object });
  expect(Date.parse(String(at))).not.toBeNaN();
  return [actor, action, object, body];
}

/** Makes a change, and gives all that the log says of it when it has `count` entries more. */
async function entriesOf(count: number, change: () => Promise<unknown>): Promise<readonly unknown[]> {
  const before = await audit.listAuditEntries({ descending: true, pageSize: 1 });
  const fromIndex = Number(before.entries[0]!.leafIndex) + 1;
  await change();
  return eventually(async () => {
    const { entries } = await audit.listAuditEntries({ fromIndex, pageSize: 1000 });
    expect(entries.length).toBeGreaterThanOrEqual(count);
    return entries.map(told);
  }, 10_000);
}

const model = 'm';
const onModel = 'model/m';
const onVersion = (number: number) => `model/m/version/${number}`;
const alias = 'champion';
const onAlias = 'model/m/alias/champion';
const graphFile = Buffer.from(identityModel('FP32'));
const digest = expect.stringMatching(/^[0-9a-f]{64}$/) as string;

function pushed(note: string, manifest = ''): Promise<unknown> {
  const files = new Map([['m.onnx', graphFile]]);
  files.set('note.txt', Buffer.from(note));
  if (manifest !== '') files.set('sluice.yaml', Buffer.from(manifest));
  return push(ann, model, files);
}

const listed = (path: string, bytes: Uint8Array) => ({ path, sha256: sha256(bytes), size: bytes.length });

/** What the entries of one move say. */
function moveBody(move: string, from: number | null, to: number) {
  return { model, alias, move, from_version: from, to_version: to };
}

describe('the audit log has exactly one entry for', () => {
  it('a model that is made, by CreateModel or by its first push', async () => {
    const settings = { owner: 'vision', description: 'a test', approvalsRequired: 1 };
    expect(await entriesOf(1, () => ann.createModel({ name: model, settings }))).toEqual([
      ['ann', 'model.created', onModel, { model, settings }],
    ]);
    const [created] = await entriesOf(3, () => push(ann, 'other', new Map([['m.onnx', graphFile]])));
    expect(created).toEqual([
      ...['ann', 'model.created', 'model/other'],
      { model: 'other', settings: { owner: '', description: '', approvalsRequired: 1 } },
    ]);
  });

  it('a change of settings, with what they were and are; none when they stay', async () => {
    const update = () => ann.updateModel({ name: model, owner: 'vision', description: 'b', approvalsRequired: 0 });
    expect(await entriesOf(1, update)).toEqual([
      [
        ...['ann', 'model.updated', onModel],
        {
          model,
          before: { description: 'a test', approvalsRequired: 1 },
          after: { description: 'b', approvalsRequired: 0 },
        },
      ],
    ]);
    expect(await entriesOf(0, update)).toEqual([]);
    await ann.updateModel({ name: model, approvalsRequired: 1 });
  });

  it('a version that is made, and one for the end of its admission', async () => {
    const made = (version: number, ...files: ReturnType<typeof listed>[]) => [
      ...['ann', 'version.created', onVersion(version)],
      { model, version, digest, graph_path: 'm.onnx', files: [listed('m.onnx', graphFile), ...files] },
    ];
    expect(await entriesOf(2, () => pushed('1'))).toEqual([
      made(1, listed('note.txt', Buffer.from('1'))),
      ['registry', 'version.admitted', onVersion(1), { model, version: 1, digest }],
    ]);
    const wrong = 'golden: [{name: wrong, inputs: {x: [[1, 2, 3]]}, outputs: {y: [[9, 9, 9]]}}]';
    expect(await entriesOf(2, () => pushed('2', wrong))).toEqual([
      made(2, listed('note.txt', Buffer.from('2')), listed('sluice.yaml', Buffer.from(wrong))),
      [
        ...['registry', 'version.rejected', onVersion(2)],
        { model, version: 2, digest, rejection: expect.stringMatching(/^golden/) as string },
      ],
    ]);
    expect(await entriesOf(2, () => pushed('3'))).toHaveLength(2);
  });

  it('an approval, a pin, an unpin and a deletion; none when they change nothing', async () => {
    const bob = replica.as('bob');
    for (const [change, action, entry] of [
      [() => bob.approve({ model, version: 1 }), 'approved', { digest, alias, approver: 'bob' }],
      [() => ann.pinVersion({ model, version: 1 }), 'pinned', {}],
      [() => ann.unpinVersion({ model, version: 1 }), 'unpinned', {}],
    ] as const) {
      const actor = action === 'approved' ? 'bob' : 'ann';
      expect(await entriesOf(1, change)).toEqual([
        [actor, `version.${action}`, onVersion(1), { model, version: 1, ...entry }],
      ]);
      expect(await entriesOf(0, change)).toEqual([]);
    }
    expect(await entriesOf(1, () => ann.deleteVersion({ model, version: 2 }))).toEqual([
      ['ann', 'version.deleted', onVersion(2), { model, version: 2, digest }],
    ]);
    await expect(ann.deleteVersion({ model, version: 2 })).rejects.toMatchObject({ kind: 'not-found' });
    await bob.approve({ model, version: 3 });
  });

  it('the request of a move and one for its end: in effect, withdrawn or cancelled', async () => {
    let id = '';
    const moved = (version: number) => async () => {
      id = (await ann.moveAlias({ model, alias, version, timeoutMs: 30_000 })).move!.id;
    };
    const requested = (from: number | null, to: number) => [
      ...['ann', 'alias.move.requested', onAlias],
      { ...moveBody(id, from, to), digest, timeout_ms: 30_000 },
    ];
    const ended = (actor: string, state: string, from: number | null, to: number, reasons: readonly string[]) => [
      ...[actor, `alias.move.${state}`, onAlias],
      { ...moveBody(id, from, to), requested_by: 'ann', reasons },
    ];
    expect(await entriesOf(2, moved(1))).toEqual([requested(null, 1), ended('registry', 'effective', null, 1, [])]);

    runtime.verdict = () => ({ failed: 'no memory' });
    expect(await entriesOf(2, moved(3))).toEqual([
      requested(1, 3),
      ended('registry', 'withdrawn', 1, 3, [expect.stringContaining('no memory') as string]),
    ]);

    runtime.verdict = () => 'loading';
    const cancelled = async () => {
      await moved(3)();
      await replica.as('bob').cancelAliasMove({ model, alias });
    };
    expect(await entriesOf(2, cancelled)).toEqual([
      requested(1, 3),
      ended('bob', 'cancelled', 1, 3, ['cancelled by bob']),
    ]);
    runtime.verdict = () => 'ready';
  });

  it('the end of a retention, and an alias that is deleted', async () => {
    const retained = (version: number) => [
      ...['registry', 'retention.ended', onModel],
      { model, versions: [{ alias, version }] },
    ];
    const moved = await entriesOf(3, () => ann.moveAlias({ model, alias, version: 3 }));
    expect(moved).toEqual([expect.anything(), expect.anything(), retained(1)]);
    expect(await entriesOf(2, () => ann.deleteAlias({ model, alias }))).toEqual([
      ['ann', 'alias.deleted', onAlias, { model, alias, version: 3 }],
      retained(3),
    ]);
    await expect(ann.deleteAlias({ model, alias })).rejects.toMatchObject({ kind: 'not-found' });
  });
});
