import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { startPostgres, type TestPostgres } from '@sluice/testkit/postgres';
import { MemoryStore } from '../src/artifacts/memory-store.ts';
import { formatNote, parseNote } from '../src/audit/checkpoint.ts';
import { documentSink } from '../src/audit/checkpoint-sink.ts';
import { AuditHarness, memorySink, newKey } from './audit-harness.ts';
import { Site } from './harness.ts';
import { addressesOf } from './registry-database.ts';

const latestName = 'audit-checkpoint-latest';

describe('a database that was put back', () => {
  let postgres: TestPostgres;
  const open: AuditHarness[] = [];

  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterEach(async () => {
    for (const audit of open.splice(0)) await audit.close();
  });
  afterAll(() => postgres.stop());

  /** A log of 5 entries of which a copy was made, and that then grew to 12, signed at 5, 8 and 12 in an hour each. */
  async function lostHistory(store: MemoryStore) {
    const key = newKey();
    const sink = documentSink(store);
    const audit = await AuditHarness.create(postgres, sink, new FakeClock(Date.UTC(2026, 5, 1)));
    open.push(audit);
    await audit.open(key);
    await audit.grow(4);
    await audit.sign(key);
    const name = `${audit.database.name}_backup`;
    const admin = await AuditHarness.create(postgres);
    await admin.superuser.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${audit.database.name}'`,
    );
    await admin.superuser.query(`CREATE DATABASE ${name} TEMPLATE ${audit.database.name}`);
    await admin.close();
    for (const count of [3, 4]) {
      audit.clock.advance(3_600_000);
      await audit.grow(count, 'lost');
      await audit.sign(key);
    }
    const restored = await AuditHarness.on(addressesOf(postgres, name), sink, new FakeClock(audit.clock.now()));
    open.push(restored);
    return { key, sink, restored };
  }

  const newStore = (): MemoryStore => new MemoryStore({ clock: new FakeClock() });

  it('is found out by a registry that runs: it keeps the proof, refuses changes, and goes on when told', async () => {
    const { key, sink, restored } = await lostHistory(newStore());
    const proof = formatNote((await sink.latest())!);
    const problems: (string | undefined)[] = [];
    const guard = restored.guard(key, (problem) => problems.push(problem));
    const signer = restored.signer(key);
    await signer.run();
    await restored.grow(9, 'fork');
    await signer.run();
    expect(signer.status).toMatchObject({ state: 'refused', checkpointSize: 0 });
    expect(signer.status.error).toMatch(/another root at 12 entries/);
    expect(formatNote((await sink.latest())!)).toBe(proof);
    expect(await restored.log.read((reads) => reads.checkpoints(6, 100))).toEqual([]);

    guard.suspect();
    await expect(guard.require()).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('restart a registry with --accept-restore') as string,
    });
    await guard.check();
    expect(await restored.open(key, { acceptRestore: true })).toMatchObject({ restoreAccepted: true });
    await signer.run();
    expect(signer.status).toMatchObject({ state: 'signing', checkpointSize: 15 });
    await guard.check();
    await guard.require();
    expect(problems).toEqual([expect.stringContaining('another root at 12'), undefined]);
    await signer.close();
  });

  it('is found out between a look and the next signature', async () => {
    const { key, sink, restored } = await lostHistory(newStore());
    const proof = formatNote((await sink.latest())!);
    let looks = 0;
    const late = await AuditHarness.on(restored.database, {
      ...sink,
      // The first look finds the checkpoint from before: the database was put back right after it.
      latest: async () => (looks++ === 0 ? (await restored.log.read((r) => r.checkpoints(5, 5)))[0] : sink.latest()),
    });
    open.push(late);
    await late.grow(1, 'fork');
    expect(await late.sign(key)).toMatchObject({ state: 'refused' });
    expect(formatNote((await sink.latest())!)).toBe(proof);
  });

  it('is not changed before that was looked into, even when the artifact store is away too', async () => {
    const audit = await AuditHarness.create(postgres, {
      ...memorySink(),
      all: () => {
        throw new Error('disk is away');
      },
    });
    open.push(audit);
    const guard = audit.guard(newKey());
    await guard.require();
    guard.suspect();
    await expect(guard.require()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('is not changed while a checkpoint that would tell is damaged, and the refusal says what to do', async () => {
    for (const name of [latestName, 'audit-checkpoint-hour-2026060100']) {
      const store = newStore();
      const audit = await AuditHarness.create(postgres, documentSink(store));
      open.push(audit);
      const guard = audit.guard(newKey());
      await store.writeDocument(name, Buffer.from('noise'));
      guard.suspect();
      await expect(guard.require()).rejects.toMatchObject({
        kind: 'data-loss',
        message: expect.stringContaining(`take it away (documents/${name} in the folder`) as string,
      });
    }
  });

  it('is refused at the start by the checkpoints of hours when the latest was lost or put back', async () => {
    const store = newStore();
    const { key, restored } = await lostHistory(store);
    const hours = await store.listDocuments('audit-checkpoint-hour-');
    expect(hours).toHaveLength(3);
    const oldest = (await store.readDocument(hours[0]!))!;
    expect(parseNote(Buffer.from(oldest).toString())?.treeSize).toBe(5);
    await store.writeDocument(latestName, oldest);
    await expect(restored.open(key)).rejects.toThrow(/has 5 entries, but a checkpoint of 12/);

    const withoutLatest = newStore();
    for (const name of hours) await withoutLatest.writeDocument(name, (await store.readDocument(name))!);
    const audit = await AuditHarness.on(restored.database, documentSink(withoutLatest));
    open.push(audit);
    await expect(audit.open(key)).rejects.toThrow(/has 5 entries, but a checkpoint of 12/);
    const [, , newest] = hours;
    await withoutLatest.writeDocument(newest!, forged((await store.readDocument(newest!))!));
    await expect(audit.open(key)).rejects.toThrow(/has 5 entries, but a checkpoint of 8/);
  });

  it('once accepted stays so, whichever of its checkpoints are left, and the new history is held as the old was', async () => {
    const store = newStore();
    const { key, sink, restored } = await lostHistory(store);
    await restored.open(key, { acceptRestore: true });
    await restored.grow(1, 'new');
    // In the hour of the one of 12 entries, which it replaces; that of 8 is left.
    expect(await restored.sign(key)).toMatchObject({ state: 'signing', checkpointSize: 7 });
    const sizes: number[] = [];
    for await (const { treeSize } of sink.all()) sizes.push(treeSize);
    expect(sizes).toEqual([5, 8, 7]);
    expect(await restored.open(key)).toMatchObject({ restoreAccepted: false });
    const impostor = await AuditHarness.create(postgres, sink);
    open.push(impostor);
    await expect(impostor.open(key)).rejects.toThrow(/has 0 entries/);
    await restored.tamper(
      'DELETE FROM registry.audit_node WHERE last_leaf = 6',
      'DELETE FROM registry.checkpoint WHERE tree_size = 7',
      'DELETE FROM registry.audit_entry WHERE leaf_index = 6',
    );
    await expect(restored.open(key)).rejects.toThrow(/has 6 entries, but a checkpoint of 7/);
  });
});

/** The same note with another signature. */
function forged(note: Uint8Array): Uint8Array {
  const text = Buffer.from(note).toString('utf8');
  const { signature } = parseNote(text)!;
  const other = Uint8Array.from(signature, (byte, at) => (at === 5 ? byte ^ 1 : byte));
  const inBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return Buffer.from(text.replace(inBase64(signature), inBase64(other)), 'utf8');
}

it('a registry whose latest checkpoint is damaged says how to start again, and that works', async () => {
  const site = await Site.open({ alone: true });
  try {
    const first = await site.start();
    await first.as('ann').createModel({ name: 'before' });
    const path = join(site.folder, 'artifacts', 'documents', latestName);
    const size = async () => parseNote(await readFile(path, 'utf8').catch(() => ''))?.treeSize;
    await eventually(async () => expect(await size()).toBe(2));
    await first.stop();
    const sound = await readFile(path);
    for (const damaged of [Buffer.from('noise'), forged(sound)]) {
      await writeFile(path, damaged);
      await expect(site.start()).rejects.toMatchObject({
        kind: 'data-loss',
        message: expect.stringContaining(
          `take it away (documents/${latestName} in the folder of --artifact-dir)`,
        ) as string,
      });
      await rm(path);
      const again = await site.start();
      await eventually(async () => expect(await size()).toBe(2));
      expect((await readFile(path)).equals(sound)).toBe(true);
      await again.stop();
    }
  } finally {
    await site.close();
  }
}, 180_000);

it('a registry whose database is replaced while it runs refuses changes until a restart accepts it', async () => {
  const site = await Site.open({ alone: true });
  try {
    const first = await site.start();
    await first.as('ann').createModel({ name: 'before' });
    await first.stop();
    const name = new URL(site.ownerUrl).pathname.slice(1);
    const admin = new pg.Client({ connectionString: site.postgres.ownerUrl() });
    await admin.connect();
    await admin.query(`CREATE DATABASE backup TEMPLATE ${name}`);

    const replica = await site.start();
    const latest = (): Promise<string> => readFile(join(site.folder, 'artifacts', 'documents', latestName), 'utf8');
    await replica.as('ann').createModel({ name: 'lost' });
    await eventually(async () => expect(parseNote(await latest())?.treeSize).toBe(3));
    const proof = await latest();
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
    await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`);
    await eventually(async () => expect((await replica.adminState())['databaseUp']).toBe(false));
    await admin.query(`ALTER DATABASE ${name} RENAME TO gone`);
    await admin.query(`ALTER DATABASE backup RENAME TO ${name}`);
    await eventually(async () => expect((await replica.adminState())['databaseUp']).toBe(true));

    const change = () => replica.as('ann').createModel({ name: 'fork' });
    await expect(change()).rejects.toMatchObject({ kind: 'failed-precondition' });
    await expect(change()).rejects.toThrow(/has 2 entries, but a checkpoint of 3 .*--accept-restore/);
    const refused = { state: 'refused', error: expect.stringContaining('a checkpoint of 3') as string };
    await eventually(async () => expect((await replica.adminState())['checkpoints']).toMatchObject(refused));
    expect(await replica.metrics()).toMatch(/sluice_registry_database_replaced(\{[^}]*\})? 1/);
    expect(await latest()).toBe(proof);
    await expect(site.start()).rejects.toMatchObject({ kind: 'failed-precondition' });

    await site.start({ SLUICE_ACCEPT_RESTORE: 'true' });
    // The one that never stopped sees that by itself.
    await eventually(change);
    expect(await replica.metrics()).toMatch(/sluice_registry_database_replaced(\{[^}]*\})? 0/);
    await admin.end();
  } finally {
    await site.close();
  }
}, 180_000);
