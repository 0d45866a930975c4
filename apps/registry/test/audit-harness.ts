import { generateKeyPairSync } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { createDataSource } from '@sluice/persistence/data-source';
import { createTransactions, type Transactions } from '@sluice/persistence/transaction';
import { systemRandom } from '@sluice/service-kit/clock';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { MemoryStore } from '../src/artifacts/memory-store.ts';
import { CheckpointSigner, type SignerStatus } from '../src/audit/checkpoint-signer.ts';
import { documentSink, type CheckpointSink } from '../src/audit/checkpoint-sink.ts';
import { signingKey, type SigningKey } from '../src/audit/signing-key.ts';
import { hasher } from '../src/audit/tree-hash.ts';
import { createAuditedChanges, type AuditedChanges } from '../src/store/audited-change.ts';
import { createAuditLog } from '../src/store/audit-store.ts';
import { createAuditWrites } from '../src/store/audit-writes.ts';
import type { AuditVerdict } from '../src/usecases/audit-check.ts';
import type { AuditLog, AuditWrites } from '../src/usecases/audit-log.ts';
import { HistoryGuard } from '../src/usecases/history-guard.ts';
import { openAuditLog, type OpenedAuditLog } from '../src/usecases/open-audit-log.ts';
import { verifyAudit } from '../src/usecases/verify-audit.ts';
import { createRegistryDatabase, type RegistryDatabase } from './registry-database.ts';

export const newKey = (): SigningKey => signingKey(generateKeyPairSync('ed25519').privateKey);

/** A registry's audit log on a database of its own, with what a superuser needs to harm it. */
export class AuditHarness {
  readonly database: RegistryDatabase;
  readonly pool: DataSource;
  readonly superuser: DataSource;
  readonly transactions: Transactions;
  readonly clock: FakeClock;
  readonly changes: AuditedChanges;
  readonly log: AuditLog;
  readonly writes: AuditWrites;
  readonly sink: CheckpointSink;

  private constructor(
    database: RegistryDatabase,
    pool: DataSource,
    superuser: DataSource,
    sink: CheckpointSink,
    clock: FakeClock,
  ) {
    this.database = database;
    this.pool = pool;
    this.superuser = superuser;
    this.clock = clock;
    this.transactions = createTransactions(pool, { clock, random: systemRandom });
    this.changes = createAuditedChanges(this.transactions);
    this.log = createAuditLog(this.transactions);
    this.writes = createAuditWrites(this.transactions, this.changes);
    this.sink = sink;
  }

  /** @param sink that of another harness, for a database that shares its artifact store */
  static async create(postgres: TestPostgres, sink = memorySink(), clock = new FakeClock()): Promise<AuditHarness> {
    return AuditHarness.on(await createRegistryDatabase(postgres), sink, clock);
  }

  static async on(database: RegistryDatabase, sink: CheckpointSink, clock = new FakeClock()): Promise<AuditHarness> {
    const connect = (url: string): Promise<DataSource> =>
      createDataSource({ url, schema: 'registry', applicationName: 'audit-test', poolSize: 4 });
    const [pool, superuser] = [await connect(database.serviceUrl), await connect(database.ownerUrl)];
    return new AuditHarness(database, pool, superuser, sink, clock);
  }

  open(key: SigningKey, options: { acceptRestore?: boolean; rotateKey?: boolean } = {}): Promise<OpenedAuditLog> {
    const { log, writes, sink } = this;
    return openAuditLog({ log, writes, sink, hasher, key }, { acceptRestore: false, rotateKey: false, ...options });
  }

  guard(key: SigningKey, onChange: (problem: string | undefined) => void = () => undefined): HistoryGuard {
    const { log, sink } = this;
    return new HistoryGuard({ log, sink, hasher, key, onChange });
  }

  signer(key: SigningKey): CheckpointSigner {
    const { log, writes, sink, clock } = this;
    const silent = () => undefined;
    const logger = { debug: silent, info: silent, warn: silent, error: silent };
    const guard = this.guard(key);
    return new CheckpointSigner({ log, writes, sink, guard, hasher, key, clock, logger });
  }

  /** Runs one round of signing; answers how the signer stood after it. */
  async sign(key: SigningKey): Promise<SignerStatus> {
    const signer = this.signer(key);
    await signer.run();
    await signer.close();
    return signer.status;
  }

  /** Appends `count` entries, each a change of its own. */
  async grow(count: number, name = 'm'): Promise<void> {
    for (let at = 0; at < count; at++) {
      const entry = { action: 'model.updated', object: `model/${name}`, body: { at, text: 'a ≠ b' } };
      await this.changes.change('alice', async () => ({ entries: [entry], result: undefined }));
    }
  }

  async verify(pageSize = 7): Promise<AuditVerdict> {
    const ports = { log: this.log, sink: this.sink, hasher, pageSize };
    let verdict: AuditVerdict | undefined;
    for await (const progress of verifyAudit(ports, new AbortController().signal)) ({ verdict } = progress);
    if (!verdict) throw new Error('the last message has no verdict');
    return verdict;
  }

  /** What only a superuser can do: switches the triggers off and runs SQL. */
  async tamper(...statements: string[]): Promise<void> {
    const tables = ['audit_entry', 'audit_node', 'audit_key', 'checkpoint'];
    const runner = this.superuser.createQueryRunner();
    try {
      await runner.startTransaction();
      for (const table of tables) await runner.query(`ALTER TABLE registry.${table} DISABLE TRIGGER ALL`);
      for (const sql of statements) await runner.query(sql);
      await runner.commitTransaction();
    } finally {
      await runner.release();
    }
  }

  async close(): Promise<void> {
    await this.pool.destroy();
    await this.superuser.destroy();
  }
}

export function memorySink(): CheckpointSink {
  return documentSink(new MemoryStore({ clock: new FakeClock() }));
}
