import { mkdir } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { inferenceService, runtimeService } from '@sluice/contracts/services';
import type { Clock, Random } from '@sluice/domain/clock';
import { hopBytes } from '@sluice/rpc/options';
import { createRpcServer, type RpcServer } from '@sluice/rpc/server';
import { openSidePorts } from '@sluice/rpc/side-ports';
import type { SidePorts } from '@sluice/rpc/side-ports';
import { publicConfig } from '@sluice/service-kit/config';
import type { Logger } from '@sluice/service-kit/logger';
import { idleCollector } from '@sluice/service-kit/idle-collector';
import type { IdleCollector } from '@sluice/service-kit/idle-collector';
import type { Running } from '@sluice/service-kit/service';
import { openTls, type Tls } from '@sluice/service-kit/tls/open-tls';
import { createMetrics, type Metrics } from '@sluice/telemetry/metrics';
import { adminState } from './admin-state.ts';
import { configSpec, type ModelServerConfig } from './config.ts';
import { registerEngineMetrics } from './engine-metrics.ts';
import { registerMachineMetrics } from './machine-metrics.ts';
import { registerMemoryMetrics } from './memory-metrics.ts';
import type { RegistryPort } from './registry/ports.ts';
import { RegistryLink } from './registry/registry-link.ts';
import { grpcRegistry, type RuntimeIdentity } from './rpc/grpc-registry.ts';
import { inferenceHandlers } from './rpc/inference-handlers.ts';
import { ByteBudget, predict } from './rpc/predict.ts';
import { runtimeHandlers } from './rpc/runtime-handlers.ts';
import { probeInChild } from './runtime/device-probe.ts';
import { deviceProviders, type Device } from './runtime/devices.ts';
import { findDevices, type DevicePorts } from './runtime/find-devices.ts';
import { softwareVersion } from './software-version.ts';
import { ArtifactCache } from './versions/artifact-cache.ts';
import type { Assignment } from './versions/assignment.ts';
import type { ServingTable } from './versions/serving-table.ts';
import { SnapshotFile } from './versions/snapshot.ts';
import { StatusBoard } from './versions/status-board.ts';
import { VersionSet } from './versions/version-set.ts';
import { endHung } from './watchdog/end-hung.ts';
import { openCrashes, type Crashes } from './watchdog/open-crashes.ts';
import type { BookedStrike } from './watchdog/strike-book.ts';
import { StrikeReporter } from './watchdog/strike-reporter.ts';
import { Watchdog } from './watchdog/watchdog.ts';

export interface Outside {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends this process at once, whatever its threads do. */
  readonly endProcess: () => void;
  /** What there can be to run sessions on; what ONNX Runtime has unless told otherwise. */
  readonly devices?: DevicePorts;
}

/** A model server that serves. */
export interface ModelServer extends Running {
  /** A native run has not returned although everything was closed: only the end of the process ends it. */
  stuck(): boolean;
}

/** Makes the model server of its parts, top to bottom, and starts it. */
export async function compose(config: ModelServerConfig, outside: Outside): Promise<ModelServer> {
  const { clock, random, logger } = outside;
  const metrics = createMetrics({ service: 'model-server', instanceId: config.instanceId });
  const threads = config.threads > 0 ? config.threads : availableParallelism();
  await mkdir(config.stateDir, { recursive: true });
  const crashes = await openCrashes(config, outside);
  const tls = await openTls(config, outside);

  let address = '';
  const devices = await devicesOf(config, outside);
  const calls = { clock, tls: tls.client };
  const registry = grpcRegistry(config.registry, () => identityOf(config, address, devices), calls);
  const cache = new ArtifactCache(config.stateDir, registry, clock);
  const board = new StatusBoard();
  const versions: VersionSet = new VersionSet({
    ...{ clock, random, logger, cache, threads, devices },
    ...onThisMachine(config, registry),
    ...crashPorts(crashes),
    changed: () => {
      link.versionsChanged();
      collector.worked();
    },
  });
  const budget = new ByteBudget(config.maxQueuedBytes);
  const collector = idleCollector(clock);
  const server = openServer(config, outside, metrics, tls);
  const link: RegistryLink = new RegistryLink({
    registry,
    versions,
    board,
    snapshot: new SnapshotFile(config.stateDir, placedBy(config, devices)),
    ...{ clock, random, logger },
    ttlMs: config.leaseTtlMs,
    registryUp: (up) => metrics.dependency('registry').set(up),
    becameReady: () => sayReady(server, true),
  });
  const table = (): ServingTable => versions.table;
  const infer = predict({ clock, table, budget, waits: versions.onDemand });
  const handlers = inferenceHandlers({
    ...{ predict: infer, placed: versions, table, maxStreamRequests: config.maxStreamRequests },
    ready: () => link.ready,
    draining: () => board.status.draining,
    version: softwareVersion,
  });
  addServices(server, handlers, runtimeHandlers(config.instanceId, board, infer, versions));

  const port = await server.bind(config.host, config.port);
  address = advertised(config, port);
  registerEngineMetrics(metrics, () => versions.counted(), crashes.book);
  registerMachineMetrics(metrics);
  registerMemoryMetrics(metrics, () => versions.memory);
  metrics.observedGauge('sluice_held_request_bytes', 'Bytes of requests that wait or run', () => budget.held);
  const state = () => adminState({ versions, link, budget, threads, devices, address, book: crashes.book });
  const sides = await openSides(config, outside, { metrics, tls, server, state });
  logger.info({ threads, cores: availableParallelism(), address }, 'sessions of a version share these threads');
  const watch = watchThreads(config, outside, { server, link, versions, registry, crashes });
  await link.start();
  const parts = { server, link, versions, registry, collector, crashes, watch, tls, closeSides: sides.close };
  return running({ port, ...sides.ports }, parts);
}

const crashPorts = ({ register, file, book }: Crashes) => ({
  ...{ register, strikes: book },
  crashNumber: (version: Assignment) => file.numberOf(version),
});

/** Starts to watch for native calls that do not end, and to report what versions did in earlier lives. */
function watchThreads(
  { runTimeoutMs, loadTimeoutMs, hangDrainMs: drainMs }: ModelServerConfig,
  { clock, random, logger, endProcess }: Outside,
  { server, link, versions, registry, crashes }: Pick<Parts, 'server' | 'link' | 'versions' | 'registry' | 'crashes'>,
): { stop(): Promise<void> } {
  const { book, file: crash, register } = crashes;
  const drain = async (signal: AbortSignal): Promise<void> => {
    sayReady(server, false);
    await link.drain();
    server.stopAccepting();
    await server.finish(signal);
  };
  const endHungPorts = { clock, logger, crash, versions, drain, drainMs, endProcess };
  const watchdog = new Watchdog({
    ...{ clock, runTimeoutMs, loadTimeoutMs },
    threads: () => register.threads,
    hung: (hang) => void endHung(endHungPorts, hang),
  });
  const answered = (strike: BookedStrike): void => versions.mayLoad(strike);
  const reporter = new StrikeReporter({ registry, book, clock, random, logger, answered });
  watchdog.start();
  reporter.start();
  return {
    stop: () => {
      watchdog.stop();
      return reporter.stop();
    },
  };
}

/** A router adds the version to what its callers send, up to the same limit. */
const messageLimits = ({ maxMessageBytes }: ModelServerConfig) => ({
  maxMessageBytes,
  maxRequestBytes: maxMessageBytes + hopBytes,
});

/** The port of inference, not yet bound and without services. */
function openServer(config: ModelServerConfig, { clock, logger }: Outside, metrics: Metrics, tls: Tls): RpcServer {
  const stack = { transport: config.transport, answerCompression: config.answerCompression, tls: tls.server };
  return createRpcServer({ logger, metrics, clock, ...stack, ...messageLimits(config) });
}

function addServices(
  server: RpcServer,
  inference: ReturnType<typeof inferenceHandlers>,
  runtime: ReturnType<typeof runtimeHandlers>,
): void {
  server.addService(inferenceService, inference);
  server.addService(runtimeService, runtime);
  server.addHealth();
  server.addReflection();
  sayReady(server, false);
}

function sayReady(server: RpcServer, ready: boolean): void {
  // Routers follow a runtime that has nothing to serve yet, too.
  server.health.set(runtimeService.name, true);
  server.health.set(inferenceService.name, ready);
  server.health.set('', ready);
}

function advertised(config: ModelServerConfig, port: number): string {
  const { advertise, host } = config;
  if (advertise === '') return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return /:\d{1,5}$/.test(advertise.replace(/^\[.*\]/, '')) ? advertise : `${advertise}:${port}`;
}

/** Finds the devices of the setting, and says which are missing. */
async function devicesOf(config: ModelServerConfig, outside: Outside): Promise<readonly Device[]> {
  const { clock, logger, devices: ports = { providers: deviceProviders, probe: probeInChild(clock) } } = outside;
  const devices = await findDevices(config.devices, ports);
  for (const { name, state, detail } of devices) {
    if (state === 'missing') logger.error({ device: name, reason: detail }, 'a device of SLUICE_DEVICES is missing');
    else logger.info({ device: name }, 'sessions can be on this device');
  }
  return devices;
}

/** What the registry places by: with another pool or other devices a runtime is to load other versions. */
const placedBy = ({ pool }: ModelServerConfig, devices: readonly Device[]): string =>
  `${pool}: ${devices.map(({ name }) => name).join(', ')}`;

/** What versions get of the machine and the registry. */
function onThisMachine(config: ModelServerConfig, registry: RegistryPort) {
  return {
    defer: (fn: () => void) => void setImmediate(fn),
    budgetBytes: memoryBudgetOf(config),
    demandIdleMs: config.demandIdleMs,
    evictionDrainMs: config.evictionDrainMs,
    getAssignment: (model: string, version: number) => registry.getAssignment(model, version),
    residentBytes: () => process.memoryUsage.rss(),
  };
}

/** What versions may hold together; 0 in the settings means a share of what the process may use. */
function memoryBudgetOf(config: ModelServerConfig): number {
  if (config.memoryBudgetBytes > 0) return config.memoryBudgetBytes;
  const mayUse = process.constrainedMemory() > 0 ? Math.min(process.constrainedMemory(), totalmem()) : totalmem();
  return Math.floor(mayUse * 0.8);
}

function identityOf(config: ModelServerConfig, address: string, devices: readonly Device[]): RuntimeIdentity {
  return {
    runtimeId: config.instanceId,
    pool: config.pool,
    address,
    ttlMs: config.leaseTtlMs,
    memoryBudgetBytes: memoryBudgetOf(config),
    devices: devices.map(({ name, state, detail }) => ({ name, state, detail })),
  };
}

/** Opens the metrics and the administrative port. */
function openSides(
  config: ModelServerConfig,
  { clock, logger }: Outside,
  parts: {
    readonly metrics: Metrics;
    readonly tls: Tls;
    readonly server: RpcServer;
    readonly state: () => unknown;
  },
): Promise<SidePorts> {
  const { metrics, tls, server, state } = parts;
  const { host, metricsPort, adminPort, instanceId } = config;
  return openSidePorts({
    ...{ host, metricsPort, adminPort, instanceId, logger, metrics, clock, state, tls: tls.server },
    service: 'model-server',
    version: softwareVersion,
    config: publicConfig(configSpec, config),
    health: server.health,
  });
}

interface Parts {
  readonly server: RpcServer;
  readonly link: RegistryLink;
  readonly versions: VersionSet;
  readonly registry: RegistryPort & { close(): void };
  readonly collector: IdleCollector;
  readonly crashes: Crashes;
  readonly watch: { stop(): Promise<void> };
  readonly tls: Tls;
  readonly closeSides: () => Promise<void>;
}

function running(ports: Running['ports'], parts: Parts): ModelServer {
  const { server, link, versions, registry, collector, crashes, watch, tls, closeSides } = parts;
  return {
    ports,
    async stopAccepting() {
      // Whoever ends this process from now on need not wait for a batch.
      crashes.file.stopping();
      // Routers hear of it on their watches first, and send nothing new.
      await link.drain();
      server.stopAccepting();
    },
    finish: (signal) => server.finish(signal),
    async close() {
      await watch.stop();
      await link.stop();
      await versions.close();
      crashes.file.close();
      collector.stop();
      registry.close();
      await closeSides();
      tls.close();
    },
    busy: () => server.busy(),
    stuck: () => versions.runningBatches > 0,
  };
}
