import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { createDataSource } from '@sluice/persistence/data-source';
import { createTransactions, type Transactions } from '@sluice/persistence/transaction';
import { TreeBuilder } from '@sluice/domain/merkle';
import { systemRandom } from '@sluice/service-kit/clock';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { utf8 } from '../src/audit/canonical-json.ts';
import { hasher } from '../src/audit/tree-hash.ts';
import { createAuditedChanges, type AuditedChanges } from '../src/store/audited-change.ts';
import { createRegistryDatabase, openPostgres, type RegistryDatabase } from './registry-database.ts';

let postgres: TestPostgres;
let database: RegistryDatabase;
let pool: DataSource;
let owner: DataSource;
let transactions: Transactions;
let changes: AuditedChanges;

beforeAll(async () => {
  postgres = await openPostgres();
  database = await createRegistryDatabase(postgres);
  pool = await createDataSource({ url: database.serviceUrl, schema: 'registry', applicationName: 'test' });
  owner = await createDataSource({ url: database.ownerUrl, schema: 'registry', applicationName: 'owner' });
  transactions = createTransactions(pool, { clock: new FakeClock(), random: systemRandom });
  changes = createAuditedChanges(transactions);
});

afterAll(async () => {
  await pool.destroy();
  await owner.destroy();
  await postgres.stop();
});

const entry = (name: string) => ({ action: 'model.created', object: `model/${name}`, body: { name } });

interface Row {
  leaf_index: number;
  effective_at: Date;
  actor: string;
  canonical_json: string;
  leaf_hash: Buffer;
}

const rows = (): Promise<Row[]> =>
  transactions.readOnly((tx) => tx.query<Row>('SELECT * FROM registry.audit_entry ORDER BY leaf_index'));

/** Milliseconds since the epoch, with a fraction. */
async function databaseNow(): Promise<number> {
  const [row] = await owner.query<{ ms: string }[]>('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms');
  return Number(row!.ms);
}

describe('an audited change', () => {
  it('gives revision and time before it runs, and leaves an entry that holds them', async () => {
    const from = await databaseNow();
    const seen = await changes.change('alice', async (tx) => ({
      entries: [entry('first')],
      result: { revision: tx.revision, at: tx.effectiveAt },
    }));
    expect(seen.revision).toBe(0);
    expect(seen.at).toBeGreaterThanOrEqual(Math.floor(from));
    expect(seen.at).toBeLessThanOrEqual(await databaseNow());
    const [first] = await rows();
    expect(JSON.parse(first!.canonical_json)).toEqual({
      action: 'model.created',
      actor: 'alice',
      actor_kind: 'unauthenticated',
      body: { name: 'first' },
      effective_at: new Date(seen.at).toISOString(),
      leaf_index: 0,
      object: 'model/first',
    });
    expect(first!.leaf_hash.equals(hasher.leaf(utf8(first!.canonical_json)))).toBe(true);
  });

  it('gives concurrent changes gapless increasing indexes and times, and builds the tree of their entries', async () => {
    const before = (await rows()).length;
    const work = Array.from({ length: 40 }, (_, at) =>
      changes.change(`actor-${at}`, async (tx) => {
        const entries = Array.from({ length: 1 + (at % 3) }, (__, part) => entry(`c${at}-${part}`));
        return { entries, result: [tx.revision, entries.length] as const };
      }),
    );
    const results = (await Promise.all(work)).sort(([a], [b]) => a - b);
    let next = before;
    for (const [revision, count] of results) {
      expect(revision).toBe(next);
      next += count;
    }
    const all = await rows();
    expect(all.map((row) => row.leaf_index)).toEqual(Array.from({ length: next }, (_, at) => at));
    const tree = new TreeBuilder(hasher);
    const nodes = all.flatMap((row) => tree.append(row.leaf_hash));
    const stored = await transactions.readOnly((tx) =>
      tx.query<{ hash: Buffer }>('SELECT hash FROM registry.audit_node ORDER BY last_leaf, level'),
    );
    expect(stored.map((row) => row.hash.toString('hex'))).toEqual(
      nodes.map((node) => Buffer.from(node.hash).toString('hex')),
    );
  });

  it('takes effect when it has the lock, not when it began to wait for it', async () => {
    const locked = Promise.withResolvers<undefined>();
    const letGo = Promise.withResolvers<number>();
    const first = changes.change('a', async () => {
      locked.resolve(undefined);
      return { entries: [entry('holds')], result: await letGo.promise };
    });
    await locked.promise;
    const second = changes.change('b', async (tx) => ({ entries: [entry('waits')], result: tx.effectiveAt }));
    const waiting = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    await eventually(async () => expect(await owner.query(waiting)).toHaveLength(1));
    letGo.resolve(await databaseNow());
    expect(await second).toBeGreaterThanOrEqual(Math.floor(await first));
  });

  it('never goes back in time, even when the clock of the database does', async () => {
    const ahead = '2100-01-01T00:00:00.500Z';
    await owner.transaction(async (tx) => {
      await tx.query('ALTER TABLE registry.audit_entry DISABLE TRIGGER append_only');
      await tx.query(
        `UPDATE registry.audit_entry SET effective_at = $1
         WHERE leaf_index = (SELECT max(leaf_index) FROM registry.audit_entry)`,
        [ahead],
      );
      await tx.query('ALTER TABLE registry.audit_entry ENABLE TRIGGER append_only');
    });
    const after = await changes.change('a', async (tx) => ({ entries: [entry('after')], result: tx.effectiveAt }));
    expect(after).toBe(Date.parse(ahead));
  });

  it('keeps nothing of a change that throws or has no entries', async () => {
    await owner.query(
      'CREATE TABLE registry.scratch (value text); GRANT SELECT, INSERT ON registry.scratch TO sluice_registry',
    );
    const before = await rows();
    const failing = changes.change('a', async (tx) => {
      await tx.execute(`INSERT INTO registry.scratch VALUES ('thrown')`);
      throw new Error('no');
    });
    await expect(failing).rejects.toMatchObject({ kind: 'internal' });
    const silent = await changes.change('a', async (tx) => {
      await tx.execute(`INSERT INTO registry.scratch VALUES ('silent')`);
      return { entries: [], result: 'given back' };
    });
    expect(silent).toBe('given back');
    expect(await owner.query('SELECT * FROM registry.scratch')).toEqual([]);
    expect(await rows()).toEqual(before);
  });

  it('refuses a body that has no canonical JSON, and an action that is no name', async () => {
    const bad = (body: Record<string, unknown>, action = 'a.b') =>
      changes.change('a', async () => ({ entries: [{ action, object: 'x', body }], result: undefined }));
    await expect(bad({ at: new Date() })).rejects.toMatchObject({ kind: 'invalid-argument' });
    await expect(bad({ missing: undefined })).rejects.toMatchObject({ kind: 'invalid-argument' });
    await expect(bad({}, 'Nonsense')).rejects.toMatchObject({ kind: 'invalid-argument' });
  });
});

describe('desired state', () => {
  const insert = `INSERT INTO registry.model (name, owner, description, approvals_required, created_at, created_by, revision, changed_revision)
               VALUES ($1, '', '', 0, now(), 'x', 0, 0)`;

  it('is not committed without an entry, whoever writes it and however', async () => {
    const unaudited = transactions.readWrite((tx) => tx.execute(insert, ['unaudited']));
    await expect(unaudited).rejects.toMatchObject({ kind: 'internal' });
    await expect(owner.query(insert, ['unaudited'])).rejects.toThrow(
      'a change of registry.model needs an audit entry in its transaction',
    );
    await changes.change('a', async (tx) => {
      await tx.execute(insert, ['audited']);
      return { entries: [entry('audited')], result: undefined };
    });
    const models = await transactions.readOnly((tx) => tx.query('SELECT name FROM registry.model'));
    expect(models).toEqual([{ name: 'audited' }]);
  });
});

describe('the tables of the log', () => {
  const tables = ['audit_entry', 'audit_node', 'audit_key', 'checkpoint'];

  it.each(tables)('refuse the service role UPDATE, DELETE and TRUNCATE of %s', async (table) => {
    const column = table === 'checkpoint' ? 'key_id' : table === 'audit_key' ? 'key_id' : 'ctid';
    for (const sql of [
      `DELETE FROM registry.${table}`,
      `TRUNCATE registry.${table} CASCADE`,
      ...(column === 'ctid' ? [] : [`UPDATE registry.${table} SET ${column} = 'x'`]),
    ])
      await expect(transactions.readWrite((tx) => tx.execute(sql))).rejects.toMatchObject({
        kind: 'permission-denied',
      });
  });

  it.each(tables)('refuse even their owner by a trigger: %s', async (table) => {
    for (const sql of [
      `DELETE FROM registry.${table}`,
      `TRUNCATE registry.${table} CASCADE`,
      ...(table === 'audit_entry' ? [`UPDATE registry.audit_entry SET actor = 'x'`] : []),
    ])
      await expect(owner.query(sql)).rejects.toThrow(/append-only/);
  });

  it('let the service role neither make nor drop nor alter anything', async () => {
    for (const sql of [
      'CREATE TABLE registry.mine (a int)',
      'CREATE TABLE public.mine (a int)',
      'DROP TABLE registry.checkpoint',
      'ALTER TABLE registry.audit_entry DISABLE TRIGGER ALL',
      `UPDATE registry.audit_entry SET actor = 'x'`,
    ])
      await expect(transactions.readWrite((tx) => tx.execute(sql))).rejects.toMatchObject({
        kind: 'permission-denied',
      });
  });
});

describe('rows of desired state', () => {
  const columns = (table: string): Promise<{ column: string; changeable: boolean }[]> =>
    owner.query(
      `SELECT attname AS column, has_column_privilege('sluice_registry', attrelid, attnum, 'UPDATE') AS changeable
       FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`,
      [`registry.${table}`],
    );
  const changeable = async (table: string): Promise<string[]> =>
    (await columns(table)).filter((column) => column.changeable).map(({ column }) => column);

  it('keep for the service role what they were inserted with', async () => {
    for (const table of ['version_file', 'version_request', 'approval']) expect(await changeable(table)).toEqual([]);
    for (const table of ['version_history', 'alias_history', 'pin']) expect(await changeable(table)).toEqual(['to_at']);
    expect(await changeable('alias_move')).toEqual(['ended_at', 'ended_revision', 'reasons', 'state']);
    expect(await changeable('version')).toEqual([
      'admission',
      'placed',
      'rejection',
      'revision',
      'serving',
      'state',
      'unplaced_revision',
    ]);
  });

  it.each([
    `UPDATE registry.version SET digest = 'x'`,
    `UPDATE registry.version SET signature = '{}', state = 'ready'`,
    `UPDATE registry.version_file SET sha256 = 'x'`,
    `UPDATE registry.approval SET approver = 'x'`,
    `UPDATE registry.alias_history SET version = 1`,
    `UPDATE registry.model SET created_by = 'x'`,
  ])('cannot be changed otherwise: %s', async (sql) => {
    const change = changes.change('a', async (tx) => {
      await tx.execute(sql);
      return { entries: [entry('x')], result: undefined };
    });
    await expect(change).rejects.toMatchObject({ kind: 'permission-denied' });
  });
});
