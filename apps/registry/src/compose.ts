import { join } from 'node:path';
import {
  auditService,
  dataSetService,
  lineageService,
  registryService,
  runService,
  watchService,
} from '@sluice/contracts/services';
import type { Clock, Random } from '@sluice/domain/clock';
import { Heartbeat } from '@sluice/persistence/heartbeat';
import type { Listener } from '@sluice/persistence/listen';
import { listen } from '@sluice/persistence/listen';
import { whenAvailable } from '@sluice/persistence/open-database';
import { createTransactions } from '@sluice/persistence/transaction';
import type { RpcServer } from '@sluice/rpc/server';
import { createRpcServer } from '@sluice/rpc/server';
import { openSidePorts } from '@sluice/rpc/side-ports';
import { warnIfExposed } from '@sluice/service-kit/common-config';
import { publicConfig } from '@sluice/service-kit/config';
import { idleCollector } from '@sluice/service-kit/idle-collector';
import type { Logger } from '@sluice/service-kit/logger';
import { logOutage } from '@sluice/service-kit/outage';
import type { Running } from '@sluice/service-kit/service';
import { openTls } from '@sluice/service-kit/tls/open-tls';
import type { Tls } from '@sluice/service-kit/tls/open-tls';
import type { Metrics } from '@sluice/telemetry/metrics';
import { createMetrics } from '@sluice/telemetry/metrics';
import type { DataSource } from 'typeorm';
import { CheckpointSigner } from './audit/checkpoint-signer.ts';
import { documentSink } from './audit/checkpoint-sink.ts';
import { readSigningKey, type SigningKey } from './audit/signing-key.ts';
import { hasher } from './audit/tree-hash.ts';
import { createAdmission } from './admission/create-admission.ts';
import { machineFileSystem, type StoreFileSystem } from './artifacts/file-system.ts';
import { FolderStore } from './artifacts/folder-store.ts';
import type { RegistryConfig } from './config.ts';
import { adminState } from './admin-state.ts';
import { follow } from './follow.ts';
import { configSpec } from './config.ts';
import { chore } from './controller/chore.ts';
import { MoveController } from './controller/move-controller.ts';
import { auditHandlers } from './rpc/audit-service.ts';
import { dataSetHandlers } from './rpc/data-set-service.ts';
import { lineageHandlers } from './rpc/lineage-service.ts';
import { registryHandlers } from './rpc/registry-service.ts';
import { runHandlers } from './rpc/run-service.ts';
import { watchHandlers } from './rpc/watch-service.ts';
import { AdmissionRunStore } from './store/admission-run-store.ts';
import { ArtifactUseStore } from './store/artifact-use-store.ts';
import { createAuditLog } from './store/audit-store.ts';
import { createAuditWrites } from './store/audit-writes.ts';
import { createAuditedChanges, type AuditedChanges } from './store/audited-change.ts';
import { gatedTransactions } from './store/gated-transactions.ts';
import { LeaderLock } from './store/leader-lock.ts';
import { LeaseStore } from './store/lease-store.ts';
import { locks } from './store/locks.ts';
import { openDatabase } from './store/open-database.ts';
import { wakeChannel } from './store/settle.ts';
import { StrikeStore } from './store/quarantine-store.ts';
import { createSourceLogs } from './store/source-logs.ts';
import { createStatements } from './store/sql.ts';
import { StateStore } from './store/state-store.ts';
import { selectModelStates } from './store/watch-store.ts';
import { Signals } from './signals.ts';
import { AdmissionJobs } from './usecases/admission-jobs.ts';
import { HistoryGuard } from './usecases/history-guard.ts';
import { openAuditLog } from './usecases/open-audit-log.ts';
import { WatchHub } from './watch/hub.ts';
import { WatchReader } from './watch/reader.ts';

/** What a registry gets from outside. */
export interface RegistryHost {
  readonly config: RegistryConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the software, from package.json. */
  readonly version: string;
  /** Under the artifact store; the machine's unless told. */
  readonly fileSystem?: StoreFileSystem;
}

/** Connections for what callers ask, and a few of their own for what must go on however many changes wait. */
interface Pools {
  readonly work: DataSource;
  /** Heartbeats, leases and what watchers are told. */
  readonly upkeep: DataSource;
}

/** Everything that is in Postgres or in the artifact store. */
function openStores(host: RegistryHost, pools: Pools, signals: Signals, key: SigningKey) {
  const { config, logger, clock, random } = host;
  const transactions = createTransactions(pools.work, { clock, random });
  const ungated = new LeaseStore(createStatements(pools.upkeep));
  const heartbeat = new Heartbeat({
    beat: () => ungated.beat(),
    clock,
    refusal: 'the registry cannot reach its database: nothing can be read or changed now, inference goes on; try again',
    onChange: (up, err) => {
      if (up) logger.info('the database is back');
      else logOutage(logger, err, 'the database is away: changes are refused, watchers keep the last state');
      for (const tell of signals.database) tell(up);
      if (up) for (const wake of signals.wake) wake();
    },
  });
  const audited = createAuditedChanges(transactions);
  const artifacts = new FolderStore({
    folder: config.artifactDir,
    clock,
    fileSystem: host.fileSystem ?? machineFileSystem,
  });
  const gated = gatedTransactions(transactions, heartbeat.require);
  const log = createAuditLog(gated);
  const sink = documentSink(artifacts);
  const onChange = (problem?: string): void => {
    if (problem === undefined) logger.info('the database is the one of the checkpoints again: changes are allowed');
    else logger.error({ problem }, 'the database was put back from before the last checkpoint: changes are refused');
    for (const tell of signals.replaced) tell(problem !== undefined);
  };
  const guard = new HistoryGuard({ log, sink, hasher, key, onChange });
  signals.database.push((up) => {
    if (!up) guard.suspect();
  });
  // The log's own entries are not held up: one of them accepts a database that was put back.
  const guarded: AuditedChanges = {
    change: async (actor, fn) => {
      await guard.require();
      return audited.change(actor, fn);
    },
  };
  return {
    transactions,
    auditPorts: { log, sink, guard, hasher, key, sources: createSourceLogs(guarded, heartbeat.require) },
    snapshots: createTransactions(pools.upkeep, { clock, random }),
    audited,
    artifacts,
    heartbeat,
    state: new StateStore(transactions, guarded, heartbeat.require, (change) => logger.info(change, 'state changed')),
    leases: new LeaseStore(createStatements(pools.upkeep, heartbeat.require)),
    strikes: new StrikeStore(createStatements(pools.upkeep, heartbeat.require)),
    artifactUse: new ArtifactUseStore(gated, artifacts),
    runs: new AdmissionRunStore(createStatements(pools.upkeep, heartbeat.require), config.instanceId),
  };
}

type Stores = ReturnType<typeof openStores>;

/** The audit log: held against the last checkpoint before anything is served, then signed as it grows. */
async function openAudit({ config, logger, clock }: RegistryHost, { transactions, audited, auditPorts }: Stores) {
  const ports = { ...auditPorts, writes: createAuditWrites(transactions, audited) };
  const options = { acceptRestore: config.acceptRestore, rotateKey: config.rotateAuditKey };
  const opened = await whenAvailable({ clock, logger }, () => openAuditLog(ports, options));
  if (opened.restoreAccepted) logger.warn('a database older than the last checkpoint was accepted');
  return { ...ports, signer: new CheckpointSigner({ ...ports, clock, logger }) };
}

/** What watchers look at, and who keeps it up to date. */
function openWatch({ logger, clock }: RegistryHost, { snapshots, leases }: Stores, signals: Signals) {
  const hub = new WatchHub();
  const source = {
    modelsSince: (token: number) => snapshots.readOnly((tx) => selectModelStates(tx, token)),
    leases: () => leases.read(),
  };
  const reader = new WatchReader(source, hub, clock, (err) =>
    logger.error({ err }, 'reading the desired state failed'),
  );
  signals.wake.push(() => reader.wake());
  return { hub, reader };
}

/** Admissions that this replica runs. */
function openAdmission({ config, logger, clock }: RegistryHost, { artifacts, state, runs }: Stores, onEnd: () => void) {
  const admission = createAdmission({
    store: artifacts,
    clock,
    workFolder: join(config.artifactDir, 'admission'),
    maxConcurrent: config.admissionConcurrency,
    timeLimitMs: config.admissionTimeoutMs,
    memoryLimitBytes: config.admissionMemoryBytes,
  });
  const onError = (err: unknown, what: string): void => logger.error({ err }, `${what} failed`);
  return { admission, jobs: new AdmissionJobs({ state, admission, runs, clock, onError, onEnd }) };
}

/** The controller, and the lock that lets one replica run it. */
function openController(host: RegistryHost, stores: Stores, jobs: AdmissionJobs, metrics: Metrics, signals: Signals) {
  const { config, logger, clock } = host;
  const { state, leases, artifacts, artifactUse } = stores;
  const lock = new LeaderLock({
    url: config.databaseUrl,
    applicationName: `${config.instanceId} controller`,
    lockId: locks.moves,
    clock,
    onChange: (leads) => {
      logger.info({ leads }, leads ? 'this replica runs the controller' : 'this replica lost the controller lock');
      controller.wake();
    },
    onError: (err) => logger.debug({ err }, 'the controller lock could not be asked for'),
  });
  const ended = metrics.counter('sluice_registry_moves_ended_total', 'Alias moves that ended, by their end', ['state']);
  const controller = new MoveController({
    state,
    leases,
    leads: () => lock.held,
    clock,
    retainMs: config.retainMs,
    onError: (err, what) => logger.error({ err }, `the controller failed at ${what}`),
    onMoveEnded: (move) => {
      ended.inc({ state: move.state });
      logger.info({ move: move.id, state: move.state, reasons: move.reasons }, 'an alias move ended');
    },
    chores: [
      chore(clock, 5_000, () => jobs.takeOver()),
      chore(clock, 60_000, () => leases.prune()),
      chore(clock, 600_000, () => artifactUse.collect(config.artifactGraceMs)),
      chore(clock, 600_000, () => artifacts.collectInterrupted(3_600_000)),
    ],
  });
  signals.wake.push(() => controller.wake());
  return { lock, controller };
}

/** The public port. */
function openServer(
  { config, logger, clock }: RegistryHost,
  { metrics, tls }: { readonly metrics: Metrics; readonly tls: Tls },
  stores: Stores,
  watchPorts: ReturnType<typeof openWatch>,
  { admission, jobs }: ReturnType<typeof openAdmission>,
  audit: Awaited<ReturnType<typeof openAudit>>,
): RpcServer {
  const { state, leases, artifacts, artifactUse, heartbeat } = stores;
  const server = createRpcServer({ logger, metrics, clock, tls: tls.server, maxMessageBytes: config.maxMessageBytes });
  server.addService(
    registryService,
    registryHandlers({
      state,
      leases,
      retainMs: config.retainMs,
      artifacts: { artifacts, use: artifactUse, available: heartbeat.require, clock },
      createVersion: { state, admission, jobs, artifacts: artifactUse, clock, holder: config.instanceId },
      watchMove: { state, ...watchPorts },
    }),
  );
  const counted = metrics.counter('sluice_registry_strikes_total', 'Times that a version ended a runtime', ['kind']);
  const strikes = {
    ...{ state, leases, table: stores.strikes },
    onStrike: ({ kind }: { readonly kind: string }) => counted.inc({ kind }),
  };
  server.addService(watchService, watchHandlers({ state, watch: watchPorts, leases, strikes, clock }));
  server.addService(auditService, auditHandlers(audit));
  server.addService(dataSetService, dataSetHandlers(state));
  server.addService(runService, runHandlers(state));
  server.addService(lineageService, lineageHandlers(state));
  server.addHealth();
  server.addReflection();
  return server;
}

/** Starts a replica and serves. Waits for the database; `failed-precondition` when its migrations have not run. */
export async function startRegistry(host: RegistryHost): Promise<Running> {
  const opened = new AsyncDisposableStack();
  try {
    return await open(host, opened);
  } catch (error) {
    // Nothing may be left running: a taken port ends the process.
    await opened.disposeAsync();
    throw error;
  }
}

/** Opens part after part; `opened` closes them in the opposite order. */
async function open(host: RegistryHost, opened: AsyncDisposableStack): Promise<Running> {
  const { config, logger } = host;
  warnIfExposed(logger, config);
  const tls = await openTls(config, host);
  opened.defer(() => tls.close());
  const metrics = createMetrics({ service: 'registry', instanceId: config.instanceId });
  const pools = await openPools(host, opened);
  const signals = new Signals();
  const stores = openStores(host, pools, signals, await readSigningKey(config.auditKeyFile));
  opened.defer(() => stores.heartbeat.close());
  const audit = await openAudit(host, stores);
  const watchPorts = openWatch(host, stores, signals);
  opened.defer(() => watchPorts.reader.close());
  const collector = idleCollector(host.clock);
  opened.defer(() => collector.stop());
  // A start and an admission leave a heap that nobody needs at rest.
  collector.worked();
  const admissions = openAdmission(host, stores, () => collector.worked());
  opened.defer(() => admissions.jobs.close());
  const { lock, controller } = openController(host, stores, admissions.jobs, metrics, signals);
  const server = openServer(host, { metrics, tls }, stores, watchPorts, admissions, audit);
  follow(metrics, server, watchPorts.hub, signals, audit.guard);
  metrics.queue('changes', () => stores.state.waiting);
  metrics.queue('admissions', () => admissions.jobs.running.length);
  stores.heartbeat.start();
  await whenAvailable(host, () => watchPorts.reader.refresh());
  const port = await server.bind(config.host, config.port);
  opened.defer(async () => {
    await server.tryShutdown(0);
  });
  const sides = await openSides(host, { metrics, tls, server }, () => ({
    ...adminState({ heartbeat: stores.heartbeat, lock, hub: watchPorts.hub, jobs: admissions.jobs }),
    checkpoints: audit.signer.status,
  }));
  opened.defer(() => sides.close());
  const listener = startListening(host, signals);
  opened.defer(() => listener.close());
  lock.start();
  opened.defer(() => lock.close());
  opened.defer(() => controller.close());
  audit.signer.start();
  opened.defer(() => audit.signer.close());
  server.health.setAll(true);
  return {
    ports: { port, ...sides.ports },
    stopAccepting: async () => server.stopAccepting(),
    finish: (signal) => server.finish(signal),
    busy: () => [...server.busy(), ...admissions.jobs.running.map((name) => `admission of ${name}`)],
    close: () => opened.disposeAsync(),
  };
}

async function openPools({ config, clock, logger }: RegistryHost, opened: AsyncDisposableStack): Promise<Pools> {
  const { databaseUrl: url, instanceId, databasePoolSize } = config;
  const pool = async (applicationName: string, poolSize: number, statementTimeoutMs: number): Promise<DataSource> => {
    const dataSource = await openDatabase({ url, poolSize, statementTimeoutMs, applicationName, clock, logger });
    opened.defer(() => dataSource.destroy());
    return dataSource;
  };
  return {
    work: await pool(instanceId, databasePoolSize, 30_000),
    // What is done over and over is given up soon and tried again.
    upkeep: await pool(`${instanceId} upkeep`, 4, 5_000),
  };
}

function startListening({ config, clock, random }: RegistryHost, signals: Signals): Listener {
  return listen({
    url: config.databaseUrl,
    applicationName: `${config.instanceId} listen`,
    clock,
    random,
    channels: [wakeChannel],
    onWake: () => signals.wake.forEach((wake) => wake()),
  });
}

function openSides(
  { config, ...rest }: RegistryHost,
  { metrics, tls, server }: { readonly metrics: Metrics; readonly tls: Tls; readonly server: RpcServer },
  state: () => unknown,
) {
  const { logger, clock, version } = rest;
  const { host, metricsPort, adminPort, instanceId } = config;
  return openSidePorts({
    ...{ host, metricsPort, adminPort, instanceId, logger, metrics, clock, version, state, tls: tls.server },
    service: 'registry',
    config: publicConfig(configSpec, config),
    health: server.health,
  });
}
