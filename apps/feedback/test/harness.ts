import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type {
  FeedbackServiceMethods,
  IngestServiceMethods,
  LabelServiceMethods,
  PrivacyServiceMethods,
} from '@sluice/contracts/services';
import { adminService, feedbackService, ingestService, labelService, privacyService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { createDataSource } from '@sluice/persistence/data-source';
import { TimedClient } from '@sluice/persistence/timed-client';
import type { RpcClient } from '@sluice/rpc/client';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { parseConfig } from '@sluice/service-kit/config';
import { createLogger } from '@sluice/service-kit/logger';
import type { Running } from '@sluice/service-kit/service';
import { compileCacheSetting } from '@sluice/testkit/compile-cache';
import { eventually } from '@sluice/testkit/eventually';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { startFeedback } from '../src/compose.ts';
import { configSpec } from '../src/config.ts';
import { readKeys } from '../src/payloads/key-encryption-key.ts';
import type { KeyRing } from '../src/payloads/key-ring.ts';
import { evidenceContext } from '../src/payloads/payload-context.ts';
import { openKeyRing } from '../src/store/key-store.ts';
import { migrateFeedback, serviceRole } from '../src/store/migrate-feedback.ts';
import { PayloadStore } from '../src/store/payload-store.ts';

export const testKey = 'ab'.repeat(32);
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** A migrated database, for any number of replicas. */
export class Site {
  readonly postgres: TestPostgres;
  readonly database: string;
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  readonly #owner: pg.Pool;
  /** Of the artifact store. */
  readonly artifactDir = mkdtempSync(join(tmpdir(), 'sluice-feedback-'));
  readonly #stops: (() => Promise<void>)[] = [];
  #keys: { readonly ring: KeyRing; readonly payloads: PayloadStore } | undefined;

  static async open(postgres: TestPostgres): Promise<Site> {
    const database = await postgres.createDatabase();
    const site = new Site(postgres, database);
    await migrateFeedback(site);
    return site;
  }

  constructor(postgres: TestPostgres, database: string) {
    this.postgres = postgres;
    this.database = database;
    this.ownerUrl = postgres.ownerUrl(database);
    this.#owner = new pg.Pool({ connectionString: this.ownerUrl, max: 2, Client: TimedClient });
    // Tests kill the server; the pool connects again.
    this.#owner.on('error', () => undefined);
    this.serviceUrl = postgres.urlFor(serviceRole, 'secret', database);
  }

  /** A replica in this process. */
  async start(settings: Readonly<Record<string, string>> = {}, clock: Clock = systemClock): Promise<Replica> {
    const config = parseConfig(configSpec, { env: this.#environment(settings), argv: [] });
    const logger = createLogger({ service: 'feedback', instance: config.instanceId, level: config.logLevel });
    const running = await startFeedback({ config, logger, clock, random: systemRandom, version: '0.0.0-test' });
    const replica = new Replica(running);
    this.#stops.push(() => replica.stop());
    return replica;
  }

  /** A replica in a process of its own, with its address. */
  async spawn(settings: Readonly<Record<string, string>> = {}): Promise<{ child: ChildProcess; address: string }> {
    const child = fork(program, [], {
      execArgv: ['--conditions=@sluice/source'],
      env: { ...compileCacheSetting(), ...this.#environment({ SLUICE_LOG_LEVEL: 'info', ...settings }) },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.#stops.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    let output = '';
    for await (const text of child.stdout!.setEncoding('utf8')) {
      output += text as string;
      const port = /"port":(\d+).*"msg":"ready"|"msg":"ready".*"port":(\d+)/.exec(output);
      if (port) return { child, address: `127.0.0.1:${port[1] ?? port[2]}` };
    }
    throw new Error(`feedback did not start: ${output}`);
  }

  /** Waits until all transactions that have begun are over: what is committed by now is before the horizon of an export. */
  async settled(): Promise<void> {
    const [now] = await this.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
    await eventually(async () => {
      const over = await this.query('SELECT WHERE pg_snapshot_xmin(pg_current_snapshot()) > $1::text::xid8', [now!.id]);
      if (over.length === 0) throw new Error('older transactions are under way');
    });
  }

  /** The keys of its replicas, to look at what these stored. */
  async keys(key = testKey): Promise<{ readonly ring: KeyRing; readonly payloads: PayloadStore }> {
    if (!this.#keys) {
      const names = { url: this.serviceUrl, schema: 'feedback', applicationName: 'test', poolSize: 2 };
      const dataSource = await createDataSource({ ...names, statementTimeoutMs: 30_000, connectTimeoutMs: 5_000 });
      this.#stops.push(() => dataSource.destroy());
      const ring = await openKeyRing(dataSource, await readKeys({ key, keyFile: '', formerKeyFiles: [] }));
      this.#keys = { ring, payloads: new PayloadStore(dataSource, ring) };
    }
    return this.#keys;
  }

  /** Request and response of a row, in plain. */
  async opened(
    predictionId: string,
    arm: string,
    attempt: number,
    row: { readonly request: Buffer; readonly response: Buffer; readonly keyId: string | undefined },
  ): Promise<(Uint8Array | undefined)[]> {
    const { payloads } = await this.keys();
    const part = (name: 'request' | 'response') => ({
      ...{ keyId: row.keyId, bytes: row[name], context: evidenceContext({ predictionId, attempt }, arm, name) },
    });
    return payloads.openAll([part('request'), part('response')]);
  }

  /** Rows of a statement, asked as the owner. */
  async query<R extends pg.QueryResultRow = Record<string, unknown>>(
    sql: string,
    values: unknown[] = [],
  ): Promise<R[]> {
    return (await this.#owner.query<R>(sql, values)).rows;
  }

  /** Runs a statement in a transaction that stays open until `release`, which undoes it, or `commit`. */
  async hold(sql: string): Promise<{ release(): Promise<void>; commit(): Promise<void> }> {
    const client = new pg.Client({ connectionString: this.ownerUrl });
    await client.connect();
    await client.query(`BEGIN; ${sql}`);
    const end = async (how: string): Promise<void> => {
      await client.query(how);
      await client.end();
    };
    return { release: () => end('ROLLBACK'), commit: () => end('COMMIT') };
  }

  /** How many rows there are of these predictions, and of how many different ones. */
  async count(ids: readonly string[], table = 'evidence'): Promise<{ rows: number; predictions: number }> {
    const [found] = await this.query<{ rows: number; predictions: number }>(
      `SELECT count(*)::int AS rows, count(DISTINCT prediction_id)::int AS predictions
       FROM feedback.${table} WHERE prediction_id = ANY ($1::uuid[])`,
      [ids],
    );
    return found!;
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) await stop();
    await this.#owner.end();
    await rm(this.artifactDir, { recursive: true });
  }

  #environment(settings: Readonly<Record<string, string>>): Record<string, string> {
    return {
      ...{ SLUICE_PORT: '0', SLUICE_METRICS_PORT: '0', SLUICE_ADMIN_PORT: '0', SLUICE_LOG_LEVEL: 'silent' },
      // Nobody listens there: a test that needs a registry names its own.
      ...{ SLUICE_DATABASE_URL: this.serviceUrl, SLUICE_REGISTRY: '127.0.0.1:1' },
      ...{ SLUICE_ARTIFACT_DIR: this.artifactDir, SLUICE_FEEDBACK_KEY: testKey, ...settings },
    };
  }
}

/** One feedback of a site, in this process, on ports of its own. */
export class Replica {
  readonly running: Running;
  readonly address: string;
  readonly feedback: RpcClient<FeedbackServiceMethods>;
  readonly labels: RpcClient<LabelServiceMethods>;
  readonly privacy: RpcClient<PrivacyServiceMethods>;
  #stopped = false;

  constructor(running: Running) {
    this.running = running;
    this.address = `127.0.0.1:${running.ports['port']}`;
    this.feedback = createRpcClient(feedbackService, this.address, { clock: systemClock });
    this.labels = createRpcClient(labelService, this.address, { clock: systemClock });
    this.privacy = createRpcClient(privacyService, this.address, { clock: systemClock, actor: 'officer' });
  }

  async adminState(): Promise<Record<string, unknown>> {
    const address = `127.0.0.1:${this.running.ports['adminPort']}`;
    const client = createRpcClient(adminService, address, { clock: systemClock });
    try {
      return JSON.parse((await client.getState({})).stateJson) as Record<string, unknown>;
    } finally {
      client.close();
    }
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.running.ports['metricsPort']}/metrics`)).text();
  }

  /** The value of a series without labels of its own, or with these. */
  async metric(name: string, labels = ''): Promise<number> {
    const line = (await this.metrics())
      .split('\n')
      .find((each) => each.startsWith(`${name}{`) && each.includes(labels));
    return Number(line?.split(' ').at(-1) ?? 0);
  }

  /** Drains for `budgetMs`, then ends what is left. */
  async stop(budgetMs = 1_000): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.running.stopAccepting();
    const controller = new AbortController();
    const timer = systemClock.schedule(budgetMs, () => controller.abort());
    await this.running.finish(controller.signal);
    timer.cancel();
    await this.running.close();
    this.feedback.close();
    this.labels.close();
    this.privacy.close();
  }
}

/** One stream of a router's spool, a message at a time. */
export class Sender {
  /** The hello's answer. */
  windowBytes = 0;
  readonly #client: RpcClient<IngestServiceMethods>;
  readonly #answers: AsyncGenerator<{ acknowledged: string; windowBytes: string; erasures: string }, void, undefined>;
  #acknowledged = 0;
  #erasures = 0;
  #queue: object[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  static async open(address: string, spoolId = 'spool-1', protocolVersion = 1): Promise<Sender> {
    const sender = new Sender(address);
    sender.send({ hello: { spoolId, routerId: 'router-1', protocolVersion } });
    const first = await sender.#answers.next();
    sender.windowBytes = Number(first.value?.windowBytes ?? 0);
    sender.#erasures = Number(first.value?.erasures ?? 0);
    return sender;
  }

  constructor(address: string) {
    this.#client = createRpcClient(ingestService, address, { clock: systemClock });
    this.#answers = this.#client.ingest(this.#messages());
  }

  send(message: object): void {
    this.#queue.push(message);
    this.#wake?.();
  }

  block(position: number, block: Uint8Array): void {
    this.send({ block: { position, block } });
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Reads answers until one acknowledges `position`. */
  async acknowledged(position: number): Promise<number> {
    while (this.#acknowledged < position) {
      const next = await this.#answers.next();
      if (next.done === true) throw new Error(`the stream ended at ${this.#acknowledged}`);
      this.#acknowledged = Number(next.value.acknowledged);
    }
    return this.#acknowledged;
  }

  /** Reads answers until one tells of an order to erase. */
  async announced(number: number): Promise<number> {
    while (this.#erasures < number) {
      const next = await this.#answers.next();
      if (next.done === true) throw new Error(`the stream ended at order ${this.#erasures}`);
      this.#erasures = Number(next.value.erasures);
    }
    return this.#erasures;
  }

  /** Says that an order was followed. */
  applied(number: number): void {
    this.send({ erasuresApplied: { number } });
  }

  /** Reads until the stream ends; the last position that was acknowledged, or the error. */
  async rest(): Promise<{ acknowledged: number; error: unknown }> {
    try {
      for await (const { acknowledged } of this.#answers) this.#acknowledged = Number(acknowledged);
      return { acknowledged: this.#acknowledged, error: undefined };
    } catch (error) {
      return { acknowledged: this.#acknowledged, error };
    }
  }

  /** Breaks the connection, as a router that is killed does. */
  close(): void {
    this.end();
    this.#client.close();
  }

  async *#messages(): AsyncGenerator<object> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** As a router does: sends what is not acknowledged again, over a new stream, here or there, until all is. */
export async function deliverSurely(
  addresses: readonly string[],
  blocks: readonly Uint8Array[],
  spoolId?: string,
): Promise<{ readonly failures: number }> {
  let acknowledged = 0;
  for (let failures = 0; ; failures++) {
    const sender = new Sender(addresses[failures % addresses.length]!);
    sender.send({ hello: { spoolId: spoolId ?? 'spool-1', routerId: 'router-1', protocolVersion: 1 } });
    for (let index = acknowledged; index < blocks.length; index++) sender.block(index + 1, blocks[index]!);
    sender.end();
    const { acknowledged: now, error } = await sender.rest();
    sender.close();
    acknowledged = Math.max(acknowledged, now);
    if (error === undefined && acknowledged === blocks.length) return { failures };
    await new Promise<void>((resolve) => systemClock.schedule(20, resolve));
  }
}

/** Sends blocks from position 1 on and waits until all are acknowledged. */
export async function deliver(address: string, blocks: readonly Uint8Array[], spoolId?: string): Promise<void> {
  const sender = await Sender.open(address, spoolId);
  blocks.forEach((block, index) => sender.block(index + 1, block));
  await sender.acknowledged(blocks.length);
  sender.close();
}
