import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { formatNote, isSignedBy, parseNote } from '../src/audit/checkpoint.ts';
import type { CheckpointSink } from '../src/audit/checkpoint-sink.ts';
import { AuditHarness, memorySink, newKey } from './audit-harness.ts';
import { addressesOf, openPostgres } from './registry-database.ts';

let postgres: TestPostgres;
const open: AuditHarness[] = [];

beforeAll(async () => {
  postgres = await openPostgres();
});
afterEach(async () => {
  for (const audit of open.splice(0)) await audit.close();
});
afterAll(() => postgres.stop());

async function harness(sink?: CheckpointSink): Promise<AuditHarness> {
  const audit = await AuditHarness.create(postgres, sink);
  open.push(audit);
  return audit;
}

/** What putting a backup back gives: the database as it is now, under another name. */
async function backup(audit: AuditHarness, sink: CheckpointSink): Promise<AuditHarness> {
  const name = `${audit.database.name}_backup`;
  const admin = await AuditHarness.create(postgres);
  await admin.superuser.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${audit.database.name}'`,
  );
  await admin.superuser.query(`CREATE DATABASE ${name} TEMPLATE ${audit.database.name}`);
  await admin.close();
  const restored = await AuditHarness.on(addressesOf(postgres, name), sink, new FakeClock(Date.UTC(2026, 5, 1)));
  open.push(restored);
  return restored;
}

const entries = (audit: AuditHarness) =>
  audit.log.read((reads) => reads.entries({ from: 0, limit: 1000, object: 'audit', descending: false }));

describe('checkpoints', () => {
  it('are signed when the log has grown, at most one per state, in database and artifact store alike', async () => {
    const audit = await harness();
    const key = newKey();
    await audit.open(key);
    const signer = audit.signer(key);
    await signer.run();
    await signer.run();
    await audit.grow(3);
    await signer.run();
    const stored = await audit.log.read((reads) => reads.checkpoints(0, 100));
    expect(stored.map(({ treeSize }) => treeSize)).toEqual([1, 4]);
    for (const checkpoint of stored) {
      expect(isSignedBy(checkpoint, key.publicKeyPem)).toBe(true);
      expect(parseNote(formatNote(checkpoint))).toMatchObject({ treeSize: checkpoint.treeSize, keyId: key.keyId });
    }
    expect(formatNote(stored[1]!)).toBe(formatNote((await audit.sink.latest())!));
    await signer.close();
  });

  it('are signed by rounds of the clock', async () => {
    const audit = await harness();
    const key = newKey();
    await audit.open(key);
    const signer = audit.signer(key);
    await signer.run();
    await audit.grow(1);
    audit.clock.advance(4990);
    expect(audit.clock.pendingTimers).toBe(1);
    audit.clock.advance(10);
    await signer.run();
    expect(signer.status.checkpointSize).toBe(2);
    await signer.close();
    expect(audit.clock.pendingTimers).toBe(0);
  });

  it('are signed by one replica at a time, and every replica knows the last', async () => {
    const audit = await harness();
    const key = newKey();
    await audit.open(key);
    await audit.grow(5);
    const signers = Array.from({ length: 4 }, () => audit.signer(key));
    await Promise.all(signers.map((signer) => signer.run()));
    expect(await audit.log.read((reads) => reads.checkpoints(0, 100))).toHaveLength(1);
    for (const signer of signers) {
      await signer.run();
      expect(signer.status).toMatchObject({ state: 'signing', checkpointSize: 6 });
      await signer.close();
    }
  });

  it('are kept in the artifact store once per hour, and always the latest', async () => {
    const audit = await harness();
    const key = newKey();
    await audit.open(key);
    for (const minutes of [0, 20, 70]) {
      audit.clock.advance(minutes * 60_000);
      await audit.grow(1);
      await audit.sign(key);
    }
    const kept: number[] = [];
    for await (const { treeSize } of audit.sink.all()) kept.push(treeSize);
    expect(kept).toEqual([3, 4]);
    expect((await audit.sink.latest())?.treeSize).toBe(4);
  });

  it('reach the artifact store later when it was away', async () => {
    const sink = memorySink();
    let away = true;
    const audit = await harness({
      ...sink,
      put: (checkpoint) => (away ? Promise.reject(new Error('disk full')) : sink.put(checkpoint)),
    });
    const key = newKey();
    await audit.open(key);
    const signer = audit.signer(key);
    await signer.run();
    expect(signer.status).toMatchObject({ state: 'failing' });
    expect(await audit.log.read((reads) => reads.latestCheckpoint())).toBeUndefined();
    away = false;
    await signer.run();
    expect(signer.status).toMatchObject({ state: 'signing', checkpointSize: 1, error: '' });
    expect((await sink.latest())?.treeSize).toBe(1);
    await signer.close();
  });
});

describe('the key', () => {
  it('of a new log is the first registry’s; another registry with another key refuses to sign', async () => {
    const audit = await harness();
    const [ours, theirs] = [newKey(), newKey()];
    expect(await audit.open(ours)).toEqual({ restoreAccepted: false, currentKeyId: ours.keyId });
    expect(await audit.open(theirs)).toEqual({ restoreAccepted: false, currentKeyId: ours.keyId });
    const signer = audit.signer(theirs);
    await audit.grow(2);
    await signer.run();
    expect(signer.status).toMatchObject({ state: 'refused' });
    expect(signer.status.error).toContain(ours.keyId);
    expect(await audit.log.read((reads) => reads.latestCheckpoint())).toBeUndefined();
    expect(await audit.sink.latest()).toBeUndefined();
    await signer.close();
  });

  it('is set once by two registries that start at the same time', async () => {
    const audit = await harness();
    const keys = [newKey(), newKey(), newKey()];
    const opened = await Promise.all(keys.map((key) => audit.open(key)));
    expect(new Set(opened.map(({ currentKeyId }) => currentKeyId)).size).toBe(1);
    expect(await audit.log.read((reads) => reads.size())).toBe(1);
  });

  it('is rotated by an entry; old checkpoints stay valid, the old key signs no more', async () => {
    const audit = await harness();
    const [before, after] = [newKey(), newKey()];
    await audit.open(before);
    const old = audit.signer(before);
    await audit.grow(2);
    await old.run();
    expect(await audit.open(after, { rotateKey: true })).toMatchObject({ currentKeyId: after.keyId });
    await old.run();
    expect(old.status.state).toBe('refused');
    const next = audit.signer(after);
    await next.run();
    expect((await entries(audit)).map(({ action }) => action)).toEqual(['audit.key.set', 'audit.key.rotated']);
    // Two in the database, and the last one of their hour in the artifact store.
    expect(await audit.verify()).toMatchObject({ ok: true, checkpointsChecked: 3 });
    await old.close();
    await next.close();
  });
});

describe('a start', () => {
  it('refuses a database from before the last checkpoint, unless told, and says so in the log', async () => {
    const sink = memorySink();
    const audit = await harness(sink);
    const key = newKey();
    await audit.open(key);
    await audit.grow(4);
    const signer = audit.signer(key);
    await signer.run();
    const restored = await backup(audit, sink);
    await audit.grow(3, 'lost');
    await signer.run();
    await signer.close();

    await expect(restored.open(key)).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringMatching(/has 5 entries, but a checkpoint of 8 .*--accept-restore/) as string,
    });
    expect(await restored.open(key, { acceptRestore: true })).toMatchObject({ restoreAccepted: true });
    const [, accepted] = await entries(restored);
    expect(accepted).toMatchObject({ action: 'audit.restore.accepted', actor: 'registry', actorKind: 'system' });
    expect(JSON.parse(accepted!.canonicalJson)).toMatchObject({ body: { checkpoint_size: 8, restored_size: 5 } });

    // Accepted once is accepted, also while the old checkpoint is still the latest; then the new history goes on.
    expect(await restored.open(key)).toMatchObject({ restoreAccepted: false });
    expect(await restored.open(key, { acceptRestore: true })).toMatchObject({ restoreAccepted: false });
    await restored.grow(1, 'new');
    const next = restored.signer(key);
    await next.run();
    expect((await sink.latest())?.treeSize).toBe(7);
    await restored.grow(3, 'new');
    await next.run();
    await next.close();
    expect(await restored.open(key)).toMatchObject({ restoreAccepted: false });
    expect(await restored.verify()).toMatchObject({ ok: true, problems: [] });
  });

  it('refuses another history of the same length, and an empty database', async () => {
    const sink = memorySink();
    const [audit, other, empty] = [await harness(sink), await harness(), await harness(sink)];
    const key = newKey();
    await audit.open(key);
    await audit.grow(4);
    const signer = audit.signer(key);
    await signer.run();
    await signer.close();
    await other.open(key);
    await other.grow(6, 'other');
    const impostor = await AuditHarness.on(other.database, sink);
    open.push(impostor);
    await expect(impostor.open(key)).rejects.toThrow(/another root at 5 entries/);
    await expect(empty.open(key)).rejects.toThrow(/has 0 entries, but a checkpoint of 5/);
  });

  it('refuses a latest checkpoint that was tampered with', async () => {
    const sink = memorySink();
    const audit = await harness(sink);
    const key = newKey();
    await audit.open(key);
    const signer = audit.signer(key);
    await signer.run();
    await signer.close();
    const last = (await sink.latest())!;
    const signature = Uint8Array.from(last.signature);
    signature[5]! ^= 1;
    await sink.put({ ...last, signature });
    await expect(audit.open(key)).rejects.toMatchObject({ kind: 'data-loss' });
  });
});
