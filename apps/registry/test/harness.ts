import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { RegistryServiceMethods, WatchServiceMethods } from '@sluice/contracts/services';
import type { DataSetRef } from '@sluice/contracts/gen/sluice/registry/v1/DataSetRef';
import { adminService, registryService, watchService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import type { RpcClient } from '@sluice/rpc/client';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { parseConfig } from '@sluice/service-kit/config';
import { createLogger } from '@sluice/service-kit/logger';
import type { Running } from '@sluice/service-kit/service';
import type { TestPostgres } from '@sluice/testkit/postgres';
import { startPostgres } from '@sluice/testkit/postgres';
import { machineFileSystem, type StoreFileSystem } from '../src/artifacts/file-system.ts';
import { startRegistry } from '../src/compose.ts';
import { configSpec } from '../src/config.ts';
import { createRegistryDatabase, openPostgres } from './registry-database.ts';

export type RegistryClient = RpcClient<RegistryServiceMethods>;
export type WatchClient = RpcClient<WatchServiceMethods>;

/** A Postgres with one migrated database, and folders, for any number of replicas. */
export class Site {
  readonly postgres: TestPostgres;
  readonly ownerUrl: string;
  readonly serviceUrl: string;
  readonly folder: string;
  readonly #replicas = new Set<Replica>();

  /** @param alone for a site whose Postgres is ended, or looked at as a whole: it has one that nobody else uses */
  static async open({ alone = false } = {}): Promise<Site> {
    const postgres = alone ? await startPostgres() : await openPostgres();
    const folder = await mkdtemp(join(tmpdir(), 'sluice-registry-test-'));
    const { ownerUrl, serviceUrl } = await createRegistryDatabase(postgres);
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(join(folder, 'audit.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return new Site(postgres, ownerUrl, serviceUrl, folder);
  }

  constructor(postgres: TestPostgres, ownerUrl: string, serviceUrl: string, folder: string) {
    this.postgres = postgres;
    this.ownerUrl = ownerUrl;
    this.serviceUrl = serviceUrl;
    this.folder = folder;
  }

  async start(
    settings: Readonly<Record<string, string>> = {},
    clock: Clock = systemClock,
    fileSystem: StoreFileSystem = machineFileSystem,
  ): Promise<Replica> {
    const replica = await Replica.start(this, settings, clock, fileSystem);
    this.#replicas.add(replica);
    return replica;
  }

  /** As a power cut does, but after all that was committed has reached the disk: the cluster of tests is lazy. */
  async crashPostgres(): Promise<void> {
    const client = new pg.Client({ connectionString: this.postgres.ownerUrl() });
    await client.connect();
    await client.query('checkpoint');
    await client.end();
    await this.postgres.kill();
  }

  async close(): Promise<void> {
    for (const replica of this.#replicas) await replica.stop();
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** One registry of a site, in this process, on ports of its own. */
export class Replica {
  readonly running: Running;
  readonly address: string;
  readonly #closers: (() => void)[] = [];
  #stopped = false;

  static async start(
    site: Site,
    settings: Readonly<Record<string, string>>,
    clock: Clock,
    fileSystem: StoreFileSystem,
  ): Promise<Replica> {
    const env = {
      SLUICE_PORT: '0',
      SLUICE_METRICS_PORT: '0',
      SLUICE_ADMIN_PORT: '0',
      SLUICE_DATABASE_URL: site.serviceUrl,
      SLUICE_ARTIFACT_DIR: join(site.folder, 'artifacts'),
      SLUICE_AUDIT_KEY_FILE: join(site.folder, 'audit.key'),
      SLUICE_LOG_LEVEL: 'silent',
      ...settings,
    };
    const config = parseConfig(configSpec, { env, argv: [] });
    const logger = createLogger({ service: 'registry', instance: config.instanceId, level: config.logLevel });
    const host = { config, logger, clock, random: systemRandom, version: '0.0.0-test', fileSystem };
    return new Replica(await startRegistry(host));
  }

  constructor(running: Running) {
    this.running = running;
    this.address = `127.0.0.1:${running.ports['port']}`;
  }

  /** A client that says who calls; '' for one that does not. */
  as(actor: string): RegistryClient {
    const named = actor === '' ? {} : { actor };
    const client = createRpcClient(registryService, this.address, { clock: systemClock, ...named });
    this.#closers.push(() => client.close());
    return client;
  }

  watch(): WatchClient {
    const client = createRpcClient(watchService, this.address, { clock: systemClock });
    this.#closers.push(() => client.close());
    return client;
  }

  async adminState(): Promise<Record<string, unknown>> {
    const address = `127.0.0.1:${this.running.ports['adminPort']}`;
    const client = createRpcClient(adminService, address, { clock: systemClock });
    try {
      const { stateJson } = await client.getState({});
      return JSON.parse(stateJson) as Record<string, unknown>;
    } finally {
      client.close();
    }
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.running.ports['metricsPort']}/metrics`)).text();
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
    for (const close of this.#closers) close();
  }
}

const examples = new URL('../../../examples/models/', import.meta.url);

/** Files of a folder below examples/models, as a push reads them. */
export async function exampleFiles(folder: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const root = new URL(`${folder}/`, examples);
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (entry.isFile()) files.set(entry.name, await readFile(new URL(entry.name, root)));
  }
  return files;
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Uploads one artifact in chunks. */
export async function upload(client: RegistryClient, bytes: Uint8Array, chunkBytes = 64 * 1024): Promise<string> {
  const digest = sha256(bytes);
  function* parts() {
    yield { header: { sha256: digest, size: bytes.length } };
    for (let at = 0; at < bytes.length; at += chunkBytes) yield { chunk: bytes.subarray(at, at + chunkBytes) };
  }
  await client.uploadArtifact(parts());
  return digest;
}

export interface PushOptions {
  readonly requestId?: string;
  readonly graphPath?: string;
  readonly run?: string;
  readonly dataSets?: readonly DataSetRef[];
}

/** Uploads files and makes a version of them; answers the last message and the lines of progress. */
export async function push(
  client: RegistryClient,
  model: string,
  files: ReadonlyMap<string, Uint8Array>,
  options: PushOptions = {},
) {
  const listed = [];
  for (const [path, bytes] of files) {
    listed.push({ path, sha256: await upload(client, bytes), size: bytes.length });
  }
  const progress: string[] = [];
  const { graphPath = '', requestId = '', run = '', dataSets = [] } = options;
  const request = { model, files: listed, graphPath, requestId, run, dataSets: [...dataSets] };
  for await (const message of client.createVersion(request)) {
    if (message.version) return { version: message.version, progress };
    progress.push(message.progress);
  }
  throw new Error('the stream ended without a version');
}

/** A watch client that turns to the next replica when one is gone. */
export function watchOf(...replicas: readonly Replica[]): WatchClient {
  return createRpcClient(
    watchService,
    replicas.map((replica) => replica.address),
    { clock: systemClock },
  );
}

/** The last message of a move's watch, and the states that were seen. */
export async function followMove(client: RegistryClient, moveId: string) {
  const states: string[] = [];
  for await (const message of client.watchAliasMove({ moveId })) {
    states.push(message.move!.state);
    if (message.done) return { last: message, states };
  }
  throw new Error('the stream ended before the move');
}

/** Pushes a version and, by another name, approves it. */
export async function pushApproved(replica: Replica, model: string): Promise<number> {
  const { version } = await push(replica.as('ann'), model, await linearModel());
  await replica.as('bob').approve({ model, version: version.number });
  return Number(version.number);
}

/** A graph that only differs by its name, so that each is a version with a digest of its own. */
export async function linearModel(note: string = randomUUID()): Promise<Map<string, Uint8Array>> {
  const graph = await readFile(new URL('digits/linear.onnx', examples));
  return new Map([
    ['linear.onnx', graph],
    ['note.txt', Buffer.from(note)],
  ]);
}
