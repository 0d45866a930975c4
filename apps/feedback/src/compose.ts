import {
  exportService,
  feedbackService,
  ingestService,
  labelService,
  predictionService,
  privacyService,
  subscribeService,
} from '@sluice/contracts/services';
import type { Clock, Random } from '@sluice/domain/clock';
import { Heartbeat } from '@sluice/persistence/heartbeat';
import { openDatabase, whenAvailable } from '@sluice/persistence/open-database';
import { createTransactions } from '@sluice/persistence/transaction';
import type { RpcServer } from '@sluice/rpc/server';
import { createRpcServer } from '@sluice/rpc/server';
import { openSidePorts } from '@sluice/rpc/side-ports';
import { warnIfExposed } from '@sluice/service-kit/common-config';
import { publicConfig } from '@sluice/service-kit/config';
import type { Logger } from '@sluice/service-kit/logger';
import { logFailure, logOutage } from '@sluice/service-kit/outage';
import type { Running } from '@sluice/service-kit/service';
import { openTls } from '@sluice/service-kit/tls/open-tls';
import type { Tls } from '@sluice/service-kit/tls/open-tls';
import type { Metrics } from '@sluice/telemetry/metrics';
import { createMetrics } from '@sluice/telemetry/metrics';
import type { DataSource } from 'typeorm';
import { adminState } from './admin-state.ts';
import type { FeedbackConfig } from './config.ts';
import { configSpec } from './config.ts';
import type { Retention } from './evidence/days.ts';
import { openExports } from './exports/open-exports.ts';
import { followConnections, openFollow } from './follow/open-follow.ts';
import { ingestMetrics } from './ingest-metrics.ts';
import { Ingester } from './ingest/ingester.ts';
import { KnownVersions } from './ingest/known-versions.ts';
import { SpoolStreams } from './ingest/spool-streams.ts';
import { openLabels } from './labels/open-labels.ts';
import { readKeys } from './payloads/key-encryption-key.ts';
import { openPredictions } from './predictions/open-predictions.ts';
import { FolderDocuments } from './privacy/folder-documents.ts';
import { openPrivacy } from './privacy/open-privacy.ts';
import type { Privacy } from './privacy/open-privacy.ts';
import { exportHandlers } from './rpc/export-service.ts';
import { feedbackHandlers } from './rpc/feedback-service.ts';
import { ingestHandlers } from './rpc/ingest-service.ts';
import { labelHandlers } from './rpc/label-service.ts';
import { predictionHandlers } from './rpc/prediction-service.ts';
import { privacyHandlers } from './rpc/privacy-service.ts';
import { RegistryAuditLog } from './rpc/registry-audit-log.ts';
import { RegistryDirectory } from './rpc/registry-directory.ts';
import { subscribeHandlers } from './rpc/subscribe-service.ts';
import { AuditOutboxStore } from './store/audit-outbox-store.ts';
import { checkCluster } from './store/cluster.ts';
import { parameters } from './store/connection.ts';
import { DayStore } from './store/day-store.ts';
import { DeadLetterStore } from './store/dead-letter-store.ts';
import { ErasureStore } from './store/erasure-store.ts';
import { EvidenceWriter } from './store/evidence-writer.ts';
import { FollowStore } from './store/follow-store.ts';
import { PostgresJoiner } from './store/joiner-store.ts';
import { KeyStore, openKeyRing } from './store/key-store.ts';
import { PostgresLabels } from './store/label-store.ts';
import { migrations } from './store/migrations/index.ts';
import { PayloadStore } from './store/payload-store.ts';
import { SpoolStore } from './store/spool-store.ts';
import { UnmatchedStore } from './store/unmatched-store.ts';
import { probe, UpkeepStore } from './store/upkeep-store.ts';
import { Upkeep } from './upkeep/upkeep.ts';
import { RegistryFacts } from './versions/registry-facts.ts';

/** What feedback gets from outside. */
export interface FeedbackHost {
  readonly config: FeedbackConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the software, from package.json. */
  readonly version: string;
}

/** What every part of a replica uses. */
interface Base {
  readonly host: FeedbackHost;
  readonly metrics: Metrics;
  readonly tls: Tls;
  readonly retention: Retention;
  readonly opened: AsyncDisposableStack;
}

/** A batch waits so long for the registry, and a question to it may take so long; in milliseconds. */
const registryWaitMs = 300;
const registryTimeoutMs = 3_000;

/** Starts a replica and serves. Waits for the database; `failed-precondition` when its migrations have not run. */
export async function startFeedback(host: FeedbackHost): Promise<Running> {
  const opened = new AsyncDisposableStack();
  try {
    return await open(host, opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

/** Opens part after part; `opened` closes them in the opposite order. */
async function open(host: FeedbackHost, opened: AsyncDisposableStack): Promise<Running> {
  const { config, logger } = host;
  warnIfExposed(logger, config);
  const tls = await openTls(config, host);
  opened.defer(() => tls.close());
  const metrics = createMetrics({ service: 'feedback', instanceId: config.instanceId });
  const retention = {
    ...{ short: config.retentionDaysShort, standard: config.retentionDaysStandard, long: config.retentionDaysLong },
  };
  const base = { host, metrics, tls, retention, opened };
  const stores = await openStores(base);
  const ingest = openIngest(base, stores);
  const labels = openLabelling(base, stores, ingest);
  const subscribers = openSubscribers(base, stores);
  const privacy = openPrivacyOf(base, stores, ingest);
  const server = openServer(base, stores, ingest, labels, subscribers, privacy);
  server.addService(exportService, exportHandlers(openExporting(base, stores, ingest)));
  follow(base, stores, ingest, server);
  await whenAvailable(host, () => ingest.upkeep.prepare());
  await whenAvailable(host, () => privacy.prepare());
  stores.heartbeat.start();
  const port = await server.bind(config.host, config.port);
  opened.defer(async () => {
    await server.tryShutdown(0);
  });
  const sides = await openSides(base, server, () =>
    adminState({ ...stores, ...ingest, ...labels, ...subscribers, retention }),
  );
  opened.defer(() => sides.close());
  ingest.upkeep.start();
  opened.defer(() => ingest.upkeep.close());
  labels.joiner.start();
  opened.defer(() => labels.joiner.close());
  subscribers.tail.start();
  opened.defer(() => subscribers.tail.close());
  privacy.start();
  opened.defer(() => privacy.close());
  server.health.setAll(true);
  return {
    ports: { port, ...sides.ports },
    stopAccepting: async () => {
      server.stopAccepting();
      ingest.streams.drain();
      subscribers.subscriptions.drain();
    },
    finish: (signal) => server.finish(signal),
    busy: () => server.busy(),
    close: () => opened.disposeAsync(),
  };
}

type Stores = Awaited<ReturnType<typeof openStores>>;

/** Everything that is in Postgres. */
async function openStores({ host, metrics, opened }: Base) {
  const { clock, random, logger, config } = host;
  const { databaseUrl: url, instanceId, databasePoolSize } = config;
  const pool = async (applicationName: string, poolSize: number, statementTimeoutMs: number): Promise<DataSource> => {
    const names = { url, schema: 'feedback', migrations, applicationName, poolSize, statementTimeoutMs, parameters };
    const dataSource = await openDatabase({ ...names, clock, logger });
    opened.defer(() => dataSource.destroy());
    return dataSource;
  };
  const { feedbackKey: key, feedbackKeyFile: keyFile, feedbackFormerKeyFiles: formerKeyFiles } = config;
  const keys = await readKeys({ key, keyFile, formerKeyFiles });
  const work = await pool(instanceId, databasePoolSize, 30_000);
  const ring = await whenAvailable(host, () => openKeyRing(work, keys));
  // One for each writer: no batch waits for what callers ask.
  const ingest = await pool(`${instanceId} ingest`, config.ingestWriters, 30_000);
  // What is asked over and over is given up soon.
  const pulse = await pool(`${instanceId} pulse`, 2, 5_000);
  const queries = await pool(`${instanceId} queries`, config.queryPoolSize, config.queryTimeoutMs);
  const labelling = await pool(`${instanceId} labels`, config.labelWriters + 2, 30_000);
  const following = await pool(`${instanceId} follow`, followConnections, 30_000);
  await whenAvailable(host, () => checkCluster(work));
  const days = new DayStore(work);
  const rows = new UpkeepStore(work, createTransactions(work, { clock, random }));
  const postgres = metrics.dependency('postgres');
  postgres.set(true);
  const database: ((up: boolean) => void)[] = [(up) => postgres.set(up)];
  const heartbeat = new Heartbeat({
    beat: () => probe(pulse),
    clock,
    refusal: 'feedback cannot reach its database: nothing can be stored or read now; keep it and try again',
    onChange: (up, err) => {
      if (up) logger.info('the database is back');
      else logOutage(logger, err, 'the database is away: evidence stays in the spools of its routers');
      for (const tell of database) tell(up);
    },
  });
  opened.defer(() => heartbeat.close());
  const payloads = new PayloadStore(work, ring);
  const letters = new DeadLetterStore(work, ring, payloads, heartbeat.require);
  return {
    ...{ work, queries, ring, days, rows, letters, payloads, heartbeat, database, labelling },
    unmatched: new UnmatchedStore(work, heartbeat.require),
    erasures: new ErasureStore(work, ring, heartbeat.require),
    spools: new SpoolStore(work, heartbeat.require),
    outbox: new AuditOutboxStore(work, heartbeat.require),
    keys: new KeyStore(work, ring),
    writer: new EvidenceWriter(ingest, days, ring, clock),
    replayer: new EvidenceWriter(work, days, ring, clock),
    followed: new FollowStore(following, () => clock.monotonic()),
  };
}

type Ingest = ReturnType<typeof openIngest>;

/** From the streams of spools to the tables. */
function openIngest(
  { host, metrics, tls, retention, opened }: Base,
  { days, rows, letters, heartbeat, writer }: Stores,
) {
  const { config, clock, logger } = host;
  const registry = metrics.dependency('registry');
  registry.set(true);
  const directory = new RegistryDirectory({
    ...{ addresses: config.registry, clock, tls: tls.client, timeoutMs: registryTimeoutMs },
  });
  opened.defer(() => directory.close());
  const facts = new RegistryFacts(directory, clock);
  const versions = new KnownVersions({
    ...{ directory: facts, clock, waitMs: registryWaitMs },
    onAway: (err) => {
      registry.set(err === undefined);
      if (err === undefined) logger.info('the registry is back');
      else logOutage(logger, err, 'the registry is away: versions of evidence are looked up later');
    },
  });
  const counts = ingestMetrics(metrics);
  const ingester = new Ingester({
    ...{ store: writer, versions, clock, retention },
    ...{ writers: config.ingestWriters, batchRows: config.batchRows, batchBytes: config.batchBytes },
    heldBytes: config.heldBytes,
    onWritten: (written, ms) => {
      counts.onWritten(written, ms);
      if (written.dead.length > 0)
        logger.warn({ dead: written.dead.length, reason: written.dead[0]!.detail }, 'evidence became dead letters');
    },
    onFailed: (err) => {
      counts.onFailed(err);
      logFailure(logger, err, 'a batch of evidence was not stored: its routers send it again');
    },
  });
  const available = heartbeat.require;
  const { windowBytes, maxStreams: mostStreams } = config;
  const streams = new SpoolStreams({ ingester, available, windowBytes, mostStreams });
  const upkeep = new Upkeep({
    ...{ days, rows, letters, versions, retention, clock, everyMs: config.upkeepMs },
    deadLetterDays: config.deadLetterDays,
    onCrowded: ({ taken, room }) =>
      logger.warn(
        { taken, room },
        'the tables have so many days that the database may run out of locks: give Postgres a larger max_locks_per_transaction',
      ),
    onDropped: (partition) => {
      counts.onDropped();
      logger.info({ partition }, 'an expired day was dropped');
    },
    onExpired: (count) => {
      counts.onExpired(count);
      logger.info({ deadLetters: count }, 'old dead letters were deleted');
    },
    onError: (err, what) => logFailure(logger, err, `${what} failed`),
  });
  return { directory, facts, versions, ingester, streams, upkeep };
}

type Labels = ReturnType<typeof openLabelling>;

/** Labels and feedback. */
function openLabelling(
  { host, metrics, retention }: Base,
  { labelling, unmatched, heartbeat, payloads }: Stores,
  { facts }: Ingest,
) {
  const { config, clock, logger } = host;
  const store = new PostgresLabels({
    dataSource: labelling,
    requestDays: config.labelRequestDays,
    available: heartbeat.require,
  });
  return openLabels({
    ...{ store, unmatched, facts, cipher: payloads, retention, clock, metrics },
    ...{ waitDays: config.labelWaitDays, writers: config.labelWriters, joinMs: config.joinMs },
    ...{ joiner: new PostgresJoiner(labelling), isUp: () => heartbeat.up },
    onError: (err) => logger.warn({ err }, 'labels that wait could not be joined now: the next round tries again'),
    onRegistry: (err) => {
      if (err !== undefined)
        logger.warn({ err }, 'the registry is away: labels of versions that are not known are refused');
    },
  });
}

/** Those who follow the tables. */
function openSubscribers({ host, metrics }: Base, { followed, heartbeat }: Stores) {
  const { config, clock } = host;
  const { followPollMs: pollMs, maxSubscribers: mostSubscribers } = config;
  return openFollow({
    ...{ source: followed, clock, metrics, pollMs, mostSubscribers, available: heartbeat.require },
  });
}

/** Files of predictions with their truth. */
function openExporting(
  { host, metrics }: Base,
  { work, queries, ring, heartbeat, payloads, outbox }: Stores,
  { facts }: Ingest,
) {
  const { config, clock } = host;
  return openExports({
    ...{ work, queries, ring, facts, clock, metrics, available: heartbeat.require },
    ...{ cipher: payloads, audit: outbox, most: config.maxExports },
  });
}

/** Keys, orders to erase, and what the audit log is told. */
function openPrivacyOf({ host, metrics, tls, opened }: Base, stores: Stores, { streams }: Ingest): Privacy {
  const { config, clock, logger } = host;
  const log = new RegistryAuditLog({
    ...{ addresses: config.registry, clock, tls: tls.client, timeoutMs: registryTimeoutMs },
  });
  opened.defer(() => log.close());
  return openPrivacy({
    ...{ ...stores, log, streams, clock, logger, metrics },
    documents: new FolderDocuments(config.artifactDir),
    ...{ upkeepMs: config.upkeepMs, unreadableDays: config.unreadableDays },
  });
}

/** The public port. */
function openServer(
  { host, metrics, tls, retention }: Base,
  { letters, replayer, work, queries, heartbeat, spools, payloads, outbox }: Stores,
  { versions, streams, directory, facts }: Ingest,
  { sessions }: Labels,
  { subscriptions }: ReturnType<typeof openSubscribers>,
  privacy: Privacy,
) {
  const { config, logger, clock } = host;
  const server = createRpcServer({ logger, metrics, clock, tls: tls.server, maxMessageBytes: config.maxMessageBytes });
  server.addService(ingestService, ingestHandlers(streams, spools));
  server.addService(privacyService, privacyHandlers(privacy));
  server.addService(feedbackService, feedbackHandlers({ letters, store: replayer, versions, clock, retention }));
  const available = heartbeat.require;
  const predictions = openPredictions({
    ...{ work, queries, available, facts, registry: directory, cipher: payloads, audit: outbox, clock, retention },
  });
  server.addService(predictionService, predictionHandlers(predictions));
  server.addService(labelService, labelHandlers(sessions));
  server.addService(subscribeService, subscribeHandlers(subscriptions));
  server.addHealth();
  server.addReflection();
  return server;
}

/** Health and metrics follow the database and the streams. */
function follow(
  { metrics }: Base,
  { database }: Stores,
  { ingester, streams, upkeep }: Ingest,
  server: RpcServer,
): void {
  database.push((up) => {
    server.health.set(ingestService.name, up);
    server.health.set(feedbackService.name, up);
    server.health.set(predictionService.name, up);
    server.health.set(labelService.name, up);
    server.health.set(subscribeService.name, up);
    server.health.set(privacyService.name, up);
    server.health.set(exportService.name, up);
  });
  metrics.queue('blocks', () => ingester.waiting);
  const gauge = (name: string, help: string, read: () => number): void => metrics.observedGauge(name, help, read);
  gauge('sluice_feedback_streams', 'Streams of evidence that are open', () => streams.open.length);
  gauge('sluice_feedback_held_bytes', 'Bytes of blocks that are held', () => ingester.budget.held);
  gauge('sluice_feedback_dead_letters', 'Dead letters, as last counted', () => upkeep.deadLetters);
  gauge('sluice_feedback_days', 'Partitions of days, as last seen', () => upkeep.days.length);
}

function openSides({ host: outside, metrics, tls }: Base, server: RpcServer, state: () => unknown) {
  const { config, logger, clock, version } = outside;
  const { host, metricsPort, adminPort, instanceId } = config;
  return openSidePorts({
    ...{ host, metricsPort, adminPort, instanceId, logger, metrics, clock, version, state, tls: tls.server },
    service: 'feedback',
    config: publicConfig(configSpec, config),
    health: server.health,
  });
}
