import pg from 'pg';
import { auditService, type AuditServiceMethods } from '@sluice/contracts/services';
import { createRpcClient, type RpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Site, type Replica } from './harness.ts';

let site: Site;
let replica: Replica;
let audit: RpcClient<AuditServiceMethods>;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  audit = createRpcClient(auditService, replica.address, { clock: systemClock });
});
afterAll(async () => {
  audit.close();
  await site.close();
});

const recordedAt = { seconds: 1_790_000_000, nanos: 5_999_999 };
const entry = (sequence: number, over: object = {}) => ({
  ...{ sequence, actor: 'ann', action: 'ReadPayloads', object: 'model/digits', recordedAt },
  detailsJson: JSON.stringify({ filter: 'model=digits', count: sequence }),
  ...over,
});
const send = (...entries: ReturnType<typeof entry>[]) => audit.appendEntries({ source: 'feedback', entries });
const entries = async () => (await audit.listAuditEntries({ pageSize: 1_000 })).entries;
const next = async () => Number((await send()).nextSequence);

async function verdict() {
  for await (const message of audit.verifyAudit({})) if (message.verdict) return message.verdict;
  throw new Error('the stream ended without a verdict');
}

describe('entries of another service', () => {
  it('are leaves of the log in their order, by their own actors, with what their source says', async () => {
    const before = (await entries()).length;
    const answer = await send(entry(1), entry(2, { actor: 'bob', action: 'subject.erased', detailsJson: '' }));
    expect(answer).toMatchObject({
      ...{ nextSequence: '3', leafIndex: String(before + 1), leafIndexes: [String(before), String(before + 1)] },
    });
    const [first, second] = (await entries()).slice(before);
    expect(first).toMatchObject({ actor: 'ann', actorKind: 'unauthenticated', action: 'feedback.read_payloads' });
    expect(first!.object).toBe('model/digits');
    expect((JSON.parse(first!.canonicalJson) as { body: unknown }).body).toEqual({
      ...{ source: 'feedback', sequence: 1, recorded_at: '2026-09-21T14:13:20.005Z' },
      details: { filter: 'model=digits', count: 1 },
    });
    expect(second).toMatchObject({ actor: 'bob', action: 'feedback.subject.erased' });
    expect(await verdict()).toMatchObject({ ok: true, treeSize: String(before + 2), problems: [] });
  });

  it('are appended once: what is there is skipped, also when two relays send at once', async () => {
    const before = (await entries()).length;
    const repeated = await send(entry(1), entry(2, { actor: 'bob', action: 'subject.erased', detailsJson: '{ }' }));
    expect(repeated.nextSequence).toBe('3');
    expect((await entries()).length).toBe(before);
    const both = await Promise.all([send(entry(3), entry(4)), send(entry(3), entry(4), entry(5))]);
    expect(both.map(({ leafIndexes }) => leafIndexes.slice(0, 2))).toEqual([
      [String(before), String(before + 1)],
      [String(before), String(before + 1)],
    ]);
    const overlapping = await send(entry(4), entry(5), entry(6));
    expect(overlapping.leafIndexes).toEqual([before + 1, before + 2, before + 3].map(String));
    expect((await entries()).length).toBe(before + 4);
    expect(await next()).toBe(7);
  });

  it('are refused beyond the next one, naming it, and where they differ from what was appended', async () => {
    const before = (await entries()).length;
    await expect(send(entry(9))).rejects.toMatchObject({
      ...{ kind: 'failed-precondition', message: expect.stringContaining('sequence 9 was sent; expected 7') as string },
    });
    for (const over of [{ actor: 'eve' }, { object: 'model/other' }, { detailsJson: '{}' }, { action: 'a.b' }]) {
      await expect(send(entry(4), entry(5, over), entry(6), entry(7))).rejects.toMatchObject({
        ...{ kind: 'failed-precondition', message: expect.stringMatching(/^feedback sequence 5 says/) as string },
      });
    }
    const later = { seconds: recordedAt.seconds + 1, nanos: 0 };
    await expect(send(entry(6, { recordedAt: later }))).rejects.toMatchObject({ kind: 'failed-precondition' });
    expect((await entries()).length).toBe(before);
    expect(await next()).toBe(7);
  });

  it.each([
    ['entries[1].sequence', () => send(entry(7), entry(9))],
    ['entries[0].sequence', () => send(entry(0))],
    ['entries[0].actor', () => send(entry(7, { actor: 'a\u200Bnn' }))],
    ['entries[0].actor', () => send(entry(7, { actor: 'Registry' }))],
    ['entries[0].action', () => send(entry(7, { action: 'read payloads' }))],
    ['entries[0].action', () => send(entry(7, { action: `a.${'b'.repeat(63)}` }))],
    ['entries[0].object', () => send(entry(7, { object: 'o'.repeat(513) }))],
    ['entries[0].object', () => send(entry(7, { object: '' }))],
    ['entries[0].details_json', () => send(entry(7, { detailsJson: '[1]' }))],
    ['entries[0].details_json', () => send(entry(7, { detailsJson: '{"a":1e999}' }))],
    ['entries[0].details_json', () => send(entry(7, { detailsJson: `{"a":"${'x'.repeat(65_536)}"}` }))],
    ['entries[0].details_json', () => send(entry(7, { detailsJson: `{"a":${'['.repeat(32)}${']'.repeat(32)}}` }))],
    ['entries[0].recorded_at', () => send(entry(7, { recordedAt: undefined }))],
    ['entries: 501', () => send(...Array.from({ length: 501 }, (_, at) => entry(7 + at)))],
    ['source', () => audit.appendEntries({ source: 'audit', entries: [] })],
  ])('are refused when they are not such entries: %s', async (field, call) => {
    await expect(call()).rejects.toMatchObject({
      ...{ kind: 'invalid-argument', message: expect.stringContaining(field) as string },
    });
  });

  it('cannot pass for entries of the registry itself', async () => {
    const { leafIndex } = await send(entry(7, { action: 'audit.restore.accepted', object: 'audit/log' }));
    const [last] = (await entries()).slice(-1);
    expect(last).toMatchObject({ leafIndex, action: 'feedback.audit.restore.accepted', actorKind: 'unauthenticated' });
  });

  it('wake no watcher, and their places stay as they were written', async () => {
    const owner = new pg.Client({ connectionString: site.ownerUrl });
    await owner.connect();
    let wakes = 0;
    owner.on('notification', () => (wakes += 1));
    await owner.query('listen sluice_registry');
    await send(...Array.from({ length: 500 }, (_, at) => entry(8 + at)));
    expect(wakes).toBe(0);
    await replica.as('ann').createModel({ name: 'fence' });
    await eventually(async () => expect(wakes).toBe(1));
    await expect(owner.query('delete from registry.audit_source_entry')).rejects.toThrow(/append-only/);
    await owner.end();
    expect(await verdict()).toMatchObject({ ok: true });
  });
});
